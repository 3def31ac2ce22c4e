/// A tensor in a mapped file, read row by row as binary32, whatever the file format.
///
/// A row is the last dimension; a tensor of one dimension is one row. Values of this type are cheap views:
/// nothing is read before ``readRow(_:into:)``.
public struct SourceTensor: Sendable {
  /// How rows are stored.
  public enum Encoding: Sendable, Equatable {
    case floats(FloatFormat)
    case blocks(BlockFormat)

    /// Bytes of `columns` elements; nil when they do not fill whole blocks.
    public func bytes(columns: Int) -> Int? {
      let (elements, size) =
        switch self {
        case .floats(let format): (1, format.bytes)
        case .blocks(let format): (format.blockElements, format.blockBytes)
        }
      guard columns % elements == 0 else { return nil }
      let (bytes, overflow) = (columns / elements).multipliedReportingOverflow(by: size)
      return overflow ? nil : bytes
    }
  }

  /// The name that the importer looks for.
  public var name: String
  /// Row-major, outermost first.
  public let shape: [Int]
  /// The file's name, for messages.
  public let file: String
  public let encoding: Encoding

  private let mapping: MappedFile
  /// Where the stored tensor's first row starts in the file.
  private let start: Int
  private let rowBytes: Int
  private let rowOrder: RowOrder
  /// Which stored element each element of a row is; nil for their own order.
  private let elementOrder: [Int]?
  /// Added to every element that is read.
  private let addend: Float

  private enum RowOrder: Sendable {
    case consecutive(from: Int)
    case listed([Int])

    func stored(_ r: Int) -> Int {
      switch self {
      case .consecutive(let first): first + r
      case .listed(let rows): rows[r]
      }
    }
  }

  /// A whole tensor of a file. The caller has checked that it fills `range`, which lies within the file, and
  /// that the extents' product fits.
  init(
    name: String, shape: [Int], encoding: Encoding, mapping: MappedFile, range: Range<Int>, file: String
  ) {
    precondition(range.lowerBound >= 0 && range.upperBound <= mapping.count)
    guard let rowBytes = encoding.bytes(columns: shape.last ?? 1) else {
      preconditionFailure("a row of tensor \(name) is not a whole number of blocks")
    }
    precondition(shape.dropLast().reduce(1, *) * rowBytes == range.count)
    self.init(
      name: name, shape: shape, file: file, encoding: encoding, mapping: mapping, start: range.lowerBound,
      rowBytes: rowBytes, rowOrder: .consecutive(from: 0), elementOrder: nil, addend: 0)
  }

  private init(
    name: String, shape: [Int], file: String, encoding: Encoding, mapping: MappedFile, start: Int, rowBytes: Int,
    rowOrder: RowOrder, elementOrder: [Int]?, addend: Float
  ) {
    self.name = name
    self.shape = shape
    self.file = file
    self.encoding = encoding
    self.mapping = mapping
    self.start = start
    self.rowBytes = rowBytes
    self.rowOrder = rowOrder
    self.elementOrder = elementOrder
    self.addend = addend
  }

  /// Elements of a row.
  public var columns: Int { shape.last ?? 1 }
  /// All dimensions but the last, multiplied.
  public var rowCount: Int { shape.dropLast().reduce(1, *) }
  public var elements: Int { rowCount * columns }
  /// Bytes of the rows as they are stored.
  public var byteCount: Int { rowCount * rowBytes }
  /// The stored format's name: `BF16`, `Q4_K`.
  public var format: String {
    switch encoding {
    case .floats(let format): format.rawValue
    case .blocks(let format): format.rawValue
    }
  }

  // MARK: Views

  private func view(_ shape: [Int], _ rowOrder: RowOrder, addend: Float? = nil) -> SourceTensor {
    SourceTensor(
      name: name, shape: shape, file: file, encoding: encoding, mapping: mapping, start: start, rowBytes: rowBytes,
      rowOrder: rowOrder, elementOrder: elementOrder, addend: addend ?? self.addend)
  }

  /// The same numbers under another name.
  public func named(_ name: String) -> SourceTensor {
    var tensor = self
    tensor.name = name
    return tensor
  }

  /// Rows `range` as a matrix. Of a tensor of three dimensions [E, out, in], rows are those of [E · out, in].
  public func rows(_ range: Range<Int>) -> SourceTensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    let order: RowOrder =
      switch rowOrder {
      case .consecutive(let first): .consecutive(from: first + range.lowerBound)
      case .listed(let rows): .listed(Array(rows[range]))
      }
    return view([range.count, columns], order)
  }

  /// The same shape with row r taken from row `rows[r]`.
  public func permutedRows(_ rows: [Int]) -> SourceTensor {
    precondition(rows.count == rowCount && rows.allSatisfy { (0..<rowCount).contains($0) })
    return view(shape, .listed(rows.map(rowOrder.stored)))
  }

  /// The same vector with element i taken from element `order[i]`. Such a view has no groups.
  public func permutedElements(_ order: [Int]) -> SourceTensor {
    precondition(shape.count == 1 && order.count == columns && order.allSatisfy { (0..<columns).contains($0) })
    return SourceTensor(
      name: name, shape: shape, file: file, encoding: encoding, mapping: mapping, start: start, rowBytes: rowBytes,
      rowOrder: rowOrder, elementOrder: elementOrder.map { stored in order.map { stored[$0] } } ?? order,
      addend: addend)
  }

  /// Elements `range` of a vector of floats in its own order.
  public func elements(_ range: Range<Int>) -> SourceTensor {
    guard case .floats(let format) = encoding, shape.count == 1, elementOrder == nil else {
      preconditionFailure("tensor \(name) is no plain vector of floats")
    }
    precondition(range.lowerBound >= 0 && range.upperBound <= columns)
    return SourceTensor(
      name: name, shape: [range.count], file: file, encoding: encoding, mapping: mapping,
      start: start + rowOrder.stored(0) * rowBytes + range.lowerBound * format.bytes,
      rowBytes: range.count * format.bytes, rowOrder: .consecutive(from: 0), elementOrder: nil, addend: addend)
  }

  /// Slice `index` of the outermost dimension, which then falls away.
  public func slice(_ index: Int) -> SourceTensor {
    precondition(shape.count >= 2 && (0..<shape[0]).contains(index))
    let inner = Array(shape.dropFirst())
    let count = inner.dropLast().reduce(1, *)
    let part = rows((index * count)..<((index + 1) * count))
    return part.view(inner, part.rowOrder)
  }

  /// Another shape of the same rows.
  public func reshaped(_ shape: [Int]) -> SourceTensor {
    precondition((shape.last ?? 1) == columns && shape.dropLast().reduce(1, *) == rowCount)
    return view(shape, rowOrder)
  }

  /// The same tensor with `number` added to every element, rounded to binary32. Such a view has no groups.
  public func adding(_ number: Float) -> SourceTensor { view(shape, rowOrder, addend: addend + number) }

  // MARK: Reading

  /// The stored bytes of a row, valid while this value lives.
  func storedRow(_ r: Int) -> UnsafeRawBufferPointer {
    let from = start + rowOrder.stored(r) * rowBytes
    return UnsafeRawBufferPointer(rebasing: mapping.buffer[from..<(from + rowBytes)])
  }

  /// Row `r` in binary32. Formats of ggml are dequantised as its reference does.
  ///
  /// - Parameter target: ``columns`` elements.
  public func readRow(_ r: Int, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(target.count == columns)
    switch encoding {
    case .floats(let format): format.widen(storedRow(r), into: target)
    case .blocks(let format): format.dequantise(storedRow(r), into: target)
    }
    if let elementOrder {
      let stored = Array(target)
      for (i, from) in elementOrder.enumerated() { target[i] = stored[from] }
    }
    if addend != 0 { for i in 0..<target.count { target[i] += addend } }
  }

  /// The block format whose groups ``readGroups(row:quants:scales:minimums:)`` reads; nil for floats.
  public var groupFormat: BlockFormat? {
    if case .blocks(let format) = encoding, elementOrder == nil, addend == 0 { format } else { nil }
  }

  /// Row `r` exactly as its blocks state it: w = scale · q - minimum for each group of
  /// `groupFormat.groupElements` consecutive elements.
  ///
  /// Scales and minimums are exact. q lies in 0 ..< 2^bits; scale and minimum may be negative, zero, or (in a
  /// damaged file) not finite.
  ///
  /// - Parameters:
  ///   - quants: ``columns`` elements.
  ///   - scales: one per group.
  ///   - minimums: one per group.
  public func readGroups(
    row r: Int, quants: UnsafeMutableBufferPointer<UInt8>, scales: UnsafeMutableBufferPointer<Double>,
    minimums: UnsafeMutableBufferPointer<Double>
  ) {
    guard let format = groupFormat else { preconditionFailure("tensor \(name) has no groups") }
    let size = format.groupElements
    precondition(quants.count == columns && scales.count == columns / size && minimums.count == columns / size)
    guard let block = storedRow(r).baseAddress, let target = quants.baseAddress else { return }
    let groupsPerBlock = format.blockElements / size
    for group in 0..<scales.count {
      let (scale, minimum) = format.unpack(
        block + group / groupsPerBlock * format.blockBytes, group: group % groupsPerBlock,
        into: target + group * size)
      scales[group] = Double(scale)
      minimums[group] = format.zeroPoint == 0 ? Double(minimum) : Double(scale) * Double(format.zeroPoint)
    }
  }

  /// Whether two tensors are stored as the same bytes, row for row.
  func isStoredLike(_ other: SourceTensor) -> Bool {
    guard encoding == other.encoding, shape == other.shape, addend == other.addend, elementOrder == other.elementOrder
    else { return false }
    let step = max(1, (8 << 20) / max(rowBytes, 1))
    for first in stride(from: 0, to: rowCount, by: step) {
      let range = first..<min(first + step, rowCount)
      guard range.allSatisfy({ storedRow($0).elementsEqual(other.storedRow($0)) }) else { return false }
      release(range)
      other.release(range)
    }
    return true
  }

  /// Tells the system that rows are done with, so that their pages stop counting as this process's memory.
  /// Reading them again is allowed.
  func release(_ rows: Range<Int>) {
    guard !rows.isEmpty, rowBytes > 0 else { return }
    let (first, last) =
      switch rowOrder {
      case .consecutive(let from): (from + rows.lowerBound, from + rows.upperBound - 1)
      case .listed(let list): (list[rows].min() ?? 0, list[rows].max() ?? 0)
      }
    mapping.release((start + first * rowBytes)..<(start + (last + 1) * rowBytes))
  }
}
