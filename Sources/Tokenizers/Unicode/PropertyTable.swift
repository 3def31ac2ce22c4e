/// A value for every scalar value, in pages that are shared where they are alike: nearly all of the 0x110000 scalars lie
/// in pages of one value, and a flat table of 4 MiB takes longer to fill than most texts to tokenize.
struct PropertyTable: Sendable {
  private static let pageBits = 8
  private static let pageSize = 1 << pageBits

  /// Where each page begins in `values`.
  private let pages: [Int32]
  private let values: [UInt32]

  subscript(scalar: Int) -> UInt32 {
    @inline(__always) get {
      values[Int(pages[scalar >> PropertyTable.pageBits]) | scalar & (PropertyTable.pageSize - 1)]
    }
  }

  /// Collects the values, range by range.
  struct Builder {
    private enum Page {
      case uniform(UInt32)
      case mixed([UInt32])
    }

    private var pages = [Page](repeating: .uniform(0), count: 0x11_0000 >> pageBits)

    mutating func add(_ bits: UInt32, to scalars: Range<Int>) {
      var start = scalars.lowerBound
      while start < scalars.upperBound {
        let number = start >> pageBits
        let end = min(scalars.upperBound, (number + 1) << pageBits)
        let within = (start & (pageSize - 1))..<(end - number << pageBits)
        switch pages[number] {
        case .uniform(let value) where within.count == pageSize: pages[number] = .uniform(value | bits)
        case .uniform(let value):
          var values = [UInt32](repeating: value, count: pageSize)
          for i in within { values[i] |= bits }
          pages[number] = .mixed(values)
        case .mixed(var values):
          // Taken out, so that it is not copied.
          pages[number] = .uniform(0)
          for i in within { values[i] |= bits }
          pages[number] = .mixed(values)
        }
        start = end
      }
    }

    func table() -> PropertyTable {
      var starts: [Int32] = []
      var values: [UInt32] = []
      var uniform: [UInt32: Int32] = [:]
      for page in pages {
        let start = Int32(values.count)
        switch page {
        case .mixed(let own):
          starts.append(start)
          values += own
        case .uniform(let value):
          if let known = uniform[value] {
            starts.append(known)
          } else {
            uniform[value] = start
            starts.append(start)
            values += repeatElement(value, count: pageSize)
          }
        }
      }
      return PropertyTable(pages: starts, values: values)
    }
  }
}
