import Digests
import Dispatch
import ModelGraph

/// Turns a tensor of floating-point numbers into the integers of docs/spec/model.md.
///
/// Only basic operations, square roots and conversions of IEEE 754 binary64 are used, all of which are
/// exactly defined, so that every machine and every number of threads gives the same bytes.
struct Quantizer {
  let threads: Int

  /// A tensor's bytes as they lie in the weights, and its exponent f.
  struct Output {
    var bytes: [UInt8]
    var exponent: Int
  }

  /// - Parameters:
  ///   - kind: `linear8` or `table16`.
  ///   - factor: multiplied into every row's scale.
  func rows(of tensor: FloatTensor, kind: TensorEntry.Kind, factor: Double) throws(ImportRejection) -> Output {
    switch kind {
    case .linear8: try rows(of: tensor, kind, as: Int8.self, limit: 127, factor: factor)
    case .table16: try rows(of: tensor, kind, as: Int16.self, limit: 32767, factor: factor)
    case .gain, .bias: preconditionFailure("a vector has no rows")
    case .linear4, .linear4m: preconditionFailure("this importer writes 8-bit weights")
    }
  }

  /// γ_c · √d as int32.
  func gain(of tensor: FloatTensor) throws(ImportRejection) -> Output {
    let n = tensor.entry.elements
    var values = [Float](repeating: 0, count: n)
    values.withUnsafeMutableBufferPointer { tensor.widen(0..<n, into: $0) }
    if let element = values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(tensor: tensor.name, element: element, file: tensor.file.name)
    }
    let root = Double(n).squareRoot()
    let gains = values.map { Double($0) * root }
    let (exponent, power) = Quantizer.exponent(largest: gains.map(\.magnitude).max() ?? 0, bits: 23)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * n)
    let limit = (1 << 23) - 1
    for gain in gains {
      let g = Int((gain * power).rounded(.toNearestOrAwayFromZero))
      bytes.append(contentsOf: Int32(min(max(g, -limit), limit)).littleEndianBytes)
    }
    return Output(bytes: bytes, exponent: exponent)
  }

  private func rows<T: FixedWidthInteger & Sendable>(
    of tensor: FloatTensor, _ kind: TensorEntry.Kind, as _: T.Type, limit: Double, factor: Double
  ) throws(ImportRejection) -> Output {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    let size = MemoryLayout<T>.size
    guard let count = TensorEntry.bytes(kind: kind, shape: tensor.shape) else {
      preconditionFailure("shapes are checked before tensors are converted")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var scales = [Double](repeating: 0, count: rows)
    var badElements = [Int?](repeating: nil, count: threads)
    bytes.withUnsafeMutableBytes { bytes in
      scales.withUnsafeMutableBufferPointer { scales in
        badElements.withUnsafeMutableBufferPointer { badElements in
          // Every thread writes only its own rows and its own slot.
          nonisolated(unsafe) let (bytes, scales, badElements) = (bytes, scales, badElements)
          DispatchQueue.concurrentPerform(iterations: threads) { thread in
            var row = [Float](repeating: 0, count: columns)
            for r in (rows * thread / threads)..<(rows * (thread + 1) / threads) {
              let target = UnsafeMutableRawBufferPointer(
                rebasing: bytes[(r * columns * size)..<((r + 1) * columns * size)])
              let largest = row.withUnsafeMutableBufferPointer { row in
                tensor.widen((r * columns)..<((r + 1) * columns), into: row)
                return Quantizer.quantize(UnsafeBufferPointer(row), into: target.bindMemory(to: T.self), limit: limit)
              }
              guard let largest else {
                badElements[thread] = r * columns + (row.firstIndex { !$0.isFinite } ?? 0)
                return
              }
              scales[r] = Double(largest) / limit * factor
            }
          }
        }
      }
    }
    // Threads own rows in order, so the first slot that is set names the first such element.
    if let element = badElements.lazy.compactMap({ $0 }).first {
      throw .notFinite(tensor: tensor.name, element: element, file: tensor.file.name)
    }
    let (exponent, power) = Quantizer.exponent(largest: scales.max() ?? 0, bits: 24)
    let start = TensorEntry.paddedTo64(rows * columns * size)
    for r in 0..<rows {
      let multiplier = (scales[r] * power).rounded(.toNearestOrAwayFromZero)
      bytes.replaceSubrange(
        (start + 4 * r)..<(start + 4 * r + 4), with: UInt32(min(multiplier, 0xFF_FFFF)).littleEndianBytes)
    }
    return Output(bytes: bytes, exponent: exponent)
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
    guard largest > 0 else { return 0 }
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
