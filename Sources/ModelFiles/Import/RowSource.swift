/// A tensor of the model, read row by row from the tensors of a checkpoint that it is made from.
struct RowSource {
  /// One tensor, or consecutive rows of one.
  struct Part {
    let tensor: SourceTensor
    /// The stored tensor's row that the part begins with, for messages.
    var firstRow = 0
  }

  /// All of one shape.
  let parts: [Part]
  /// Added to every row; for messages, where it is from.
  var added: (row: [Double], tensor: SourceTensor)?
  /// Added to every element.
  var addend = 0.0

  init(_ parts: [Part]) {
    precondition(!parts.isEmpty && parts.allSatisfy { $0.tensor.shape == parts[0].tensor.shape })
    self.parts = parts
  }

  private var partRows: Int { parts[0].tensor.rowCount }
  var columns: Int { parts[0].tensor.columns }
  var rowCount: Int { parts.count * partRows }
  var byteCount: Int { parts.reduce(0) { $0 + $1.tensor.byteCount } }
  var name: String { parts[0].tensor.name }

  /// The block format in which all parts are stored; nil for floats, and where something is added.
  var groupFormat: BlockFormat? {
    guard added == nil, addend == 0, let format = parts[0].tensor.groupFormat,
      parts.allSatisfy({ $0.tensor.groupFormat == format })
    else { return nil }
    return format
  }

  /// The part that holds a row, and which of its rows it is.
  @inline(__always)
  func locate(_ row: Int) -> (part: Part, row: Int) {
    let (part, rest) = row.quotientAndRemainder(dividingBy: partRows)
    return (parts[part], rest)
  }

  /// - Parameter target: ``columns`` elements.
  func readRow(_ row: Int, into target: UnsafeMutableBufferPointer<Float>) {
    let (part, index) = locate(row)
    part.tensor.readRow(index, into: target)
  }

  /// The row in binary64 with what is added.
  func wideRow(_ row: Int) -> [Double] {
    var floats = [Float](repeating: 0, count: columns)
    floats.withUnsafeMutableBufferPointer { readRow(row, into: $0) }
    if let added { return zip(floats, added.row).map { Double($0) + $1 } }
    return floats.map { addend + Double($0) }
  }

  func release(_ rows: Range<Int>) {
    guard let last = rows.last, partRows > 0 else { return }
    for part in (rows.lowerBound / partRows)...(last / partRows) {
      let first = part * partRows
      let inside = rows.clamped(to: first..<(first + partRows))
      parts[part].tensor.release((inside.lowerBound - first)..<(inside.upperBound - first))
    }
  }

  /// The rejection of a row's element that is not finite.
  func notFinite(row: Int, element: Int) -> ImportRejection {
    let (part, index) = locate(row)
    return .notFinite(
      tensor: part.tensor.name, element: (part.firstRow + index) * columns + element, file: part.tensor.file)
  }
}
