import Digests
import Dispatch
import ModelGraph

/// Turns a tensor of floating-point numbers into the integers of docs/spec/model.md.
///
/// Only basic operations, square roots and conversions of IEEE 754 binary64 are used, all of which are
/// exactly defined, so that every machine and every number of threads gives the same bytes.
struct Quantizer {
  let threads: Int

  /// Rows are converted and passed on in blocks of about this many bytes: memory does not grow with tensors.
  static let blockBytes = 4 << 20

  /// - Parameters:
  ///   - kind: `linear8` or `table16`.
  ///   - factor: multiplied into every row's scale.
  ///   - put: receives the tensor's bytes as they lie in the weights, in order.
  /// - Returns: the exponent f.
  /// - Throws: ``ImportRejection/notFinite(tensor:element:file:)``, and whatever `put` throws.
  func rows(
    of tensor: SourceTensor, kind: TensorEntry.Kind, factor: Double, put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    switch kind {
    case .linear8: try rows(of: tensor, as: Int8.self, limit: 127, factor: factor, put: put)
    case .table16: try rows(of: tensor, as: Int16.self, limit: 32767, factor: factor, put: put)
    case .gain, .bias: preconditionFailure("a vector has no rows")
    case .linear4, .linear4m: preconditionFailure("this importer writes 8-bit weights")
    }
  }

  /// γ_c · √d as int32.
  func gain(of tensor: SourceTensor, put: (UnsafeRawBufferPointer) throws -> Void) throws -> Int {
    precondition(tensor.rowCount == 1)
    var values = [Float](repeating: 0, count: tensor.columns)
    values.withUnsafeMutableBufferPointer { tensor.readRow(0, into: $0) }
    if let element = values.firstIndex(where: { !$0.isFinite }) {
      throw ImportRejection.notFinite(tensor: tensor.name, element: element, file: tensor.file)
    }
    let root = Double(values.count).squareRoot()
    let gains = values.map { Double($0) * root }
    let (exponent, power) = Quantizer.exponent(largest: gains.map(\.magnitude).max() ?? 0, bits: 23)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * values.count)
    let limit = (1 << 23) - 1
    for gain in gains {
      let g = Int((gain * power).rounded(.toNearestOrAwayFromZero))
      bytes.append(contentsOf: Int32(min(max(g, -limit), limit)).littleEndianBytes)
    }
    try bytes.withUnsafeBytes(put)
    return exponent
  }

  private func rows<T: FixedWidthInteger & Sendable>(
    of tensor: SourceTensor, as _: T.Type, limit: Double, factor: Double, put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let (rows, columns) = (tensor.rowCount, tensor.columns)
    let rowBytes = columns * MemoryLayout<T>.size
    let blockRows = min(rows, max(1, Quantizer.blockBytes / max(rowBytes, 1)))
    var block = [UInt8](repeating: 0, count: blockRows * rowBytes)
    var scales = [Double](repeating: 0, count: rows)
    for first in stride(from: 0, to: rows, by: blockRows) {
      let range = first..<min(first + blockRows, rows)
      try convert(tensor, range, as: T.self, limit: limit, into: &block, &scales)
      tensor.release(range)
      try block.withUnsafeBytes { try put(UnsafeRawBufferPointer(rebasing: $0[..<(range.count * rowBytes)])) }
    }
    for r in 0..<rows { scales[r] = scales[r] / limit * factor }
    let (exponent, power) = Quantizer.exponent(largest: scales.max() ?? 0, bits: 24)
    var tail = [UInt8](repeating: 0, count: TensorEntry.paddedTo64(rows * rowBytes) - rows * rowBytes)
    tail.reserveCapacity(tail.count + 4 * rows)
    for scale in scales {
      let multiplier = (scale * power).rounded(.toNearestOrAwayFromZero)
      tail.append(contentsOf: UInt32(min(multiplier, 0xFF_FFFF)).littleEndianBytes)
    }
    try tail.withUnsafeBytes(put)
    return exponent
  }

  /// Converts rows `range` into `block` and puts each row's largest magnitude into `largest`.
  private func convert<T: FixedWidthInteger & Sendable>(
    _ tensor: SourceTensor, _ range: Range<Int>, as _: T.Type, limit: Double, into block: inout [UInt8],
    _ largest: inout [Double]
  ) throws(ImportRejection) {
    let columns = tensor.columns
    let rowBytes = columns * MemoryLayout<T>.size
    var badElements = [Int?](repeating: nil, count: threads)
    block.withUnsafeMutableBytes { block in
      largest.withUnsafeMutableBufferPointer { largest in
        badElements.withUnsafeMutableBufferPointer { badElements in
          // Every thread writes only its own rows and its own slot.
          nonisolated(unsafe) let (block, largest, badElements) = (block, largest, badElements)
          DispatchQueue.concurrentPerform(iterations: threads) { thread in
            var row = [Float](repeating: 0, count: columns)
            for i in (range.count * thread / threads)..<(range.count * (thread + 1) / threads) {
              let r = range.lowerBound + i
              let target = UnsafeMutableRawBufferPointer(rebasing: block[(i * rowBytes)..<((i + 1) * rowBytes)])
              let magnitude = row.withUnsafeMutableBufferPointer { row in
                tensor.readRow(r, into: row)
                return Quantizer.quantize(UnsafeBufferPointer(row), into: target.bindMemory(to: T.self), limit: limit)
              }
              guard let magnitude else {
                badElements[thread] = r * columns + (row.firstIndex { !$0.isFinite } ?? 0)
                return
              }
              largest[r] = Double(magnitude)
            }
          }
        }
      }
    }
    // Threads own rows in order, so the first slot that is set names the first such element.
    if let element = badElements.lazy.compactMap({ $0 }).first {
      throw .notFinite(tensor: tensor.name, element: element, file: tensor.file)
    }
  }

  /// w_i = round(x_i · limit / max |x|), ties away from zero.
  ///
  /// - Returns: max |x|; nil when an element is not finite.
  @inline(__always)
  private static func quantize<T: FixedWidthInteger>(
    _ row: UnsafeBufferPointer<Float>, into target: UnsafeMutableBufferPointer<T>, limit: Double
  ) -> Float? {
    // The order of magnitudes is the order of their bit patterns; infinities and NaNs come last.
    var largestBits: UInt32 = 0
    for x in row { largestBits = max(largestBits, x.bitPattern & 0x7FFF_FFFF) }
    guard largestBits < 0x7F80_0000 else { return nil }
    let largest = Double(Float(bitPattern: largestBits))
    guard largest > 0 else {
      for i in 0..<row.count { target[i] = 0 }
      return 0
    }
    for i in 0..<row.count {
      // |v| ≤ limit: x · limit is exact in binary64, and division rounds monotonically.
      let v = Double(row[i]) * limit / largest
      let whole = Int32(v)
      let rest = v - Double(whole)
      let carry: Int32 = rest >= 0.5 ? 1 : rest <= -0.5 ? -1 : 0
      target[i] = T(truncatingIfNeeded: whole &+ carry)
    }
    return Float(bitPattern: largestBits)
  }

  /// f and 2^f with 2^(bits-1) ≤ largest · 2^f < 2^bits; f = 0 for zero.
  private static func exponent(largest: Double, bits: Int) -> (Int, Double) {
    guard largest > 0 else { return (0, 1) }
    let f = bits - 1 - Int(largest.exponent)
    return (f, Double(sign: .plus, exponent: f, significand: 1))
  }
}
