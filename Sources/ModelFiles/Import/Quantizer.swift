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
  ///   - factor: multiplied into the scale of every row, or into every element of a vector.
  ///   - put: receives the tensor's bytes as they lie in the weights, in order.
  /// - Returns: the exponent f.
  /// - Throws: ``ImportRejection/notFinite(tensor:element:file:)``, and whatever `put` throws.
  func convert(
    _ source: RowSource, to kind: TensorEntry.Kind, factor: RowFactor, put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    switch kind {
    case .linear8: try rows(of: source, as: Int8.self, limit: 127, factor: factor, put: put)
    case .linear16, .table16: try rows(of: source, as: Int16.self, limit: 32767, factor: factor, put: put)
    case .linear4, .linear4m: try groups(of: source, hasMinimums: kind == .linear4m, factor: factor, put: put)
    case .gain: try gain(of: source, factor: factor, put: put)
    case .bias: try bias(of: source, factor: factor, put: put)
    }
  }

  // MARK: Vectors

  /// γ_c · √n as int32.
  private func gain(
    of source: RowSource, factor: RowFactor, put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let values = try vector(source)
    let root = Double(values.count).squareRoot()
    let gains = values.indices.map { values[$0] * root * factor[$0] }
    let exponent = Quantizer.exponent(largest: gains.map(\.magnitude).max() ?? 0, bits: 23)
    try Quantizer.put(gains, exponent: exponent, put)
    return exponent
  }

  private func bias(
    of source: RowSource, factor: RowFactor, put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let values = try vector(source)
    let biases = values.indices.map { values[$0] * factor[$0] }
    let largest = biases.map(\.magnitude).max() ?? 0
    // A smaller exponent would cost the sum its precision.
    let exponent = largest > 0 ? min(40, Quantizer.exponent(largest: largest, bits: 23)) : 40
    try Quantizer.put(biases, exponent: exponent, put)
    return exponent
  }

  private func vector(_ source: RowSource) throws(ImportRejection) -> [Double] {
    precondition(source.rowCount == 1)
    let values = source.wideRow(0)
    if let element = values.firstIndex(where: { !$0.isFinite }) { throw source.notFinite(row: 0, element: element) }
    return values
  }

  private static func put(
    _ values: [Double], exponent: Int, _ put: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let power = Quantizer.power(exponent)
    let limit = (1 << 23) - 1
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * values.count)
    for value in values {
      let integer = Int((value * power).rounded(.toNearestOrAwayFromZero))
      bytes.append(contentsOf: Int32(min(max(integer, -limit), limit)).littleEndianBytes)
    }
    try bytes.withUnsafeBytes(put)
  }

  // MARK: Scales

  /// f with 2^(bits-1) ≤ largest · 2^f < 2^bits; f = 0 for zero.
  static func exponent(largest: Double, bits: Int) -> Int {
    largest > 0 ? bits - 1 - Int(largest.exponent) : 0
  }

  /// 2^exponent.
  static func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

  /// Passes on the multipliers of a tensor's rows.
  ///
  /// - Returns: the exponent f.
  static func putMultipliers(
    _ scales: [Double], put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let exponent = Quantizer.exponent(largest: scales.max() ?? 0, bits: 24)
    let power = Quantizer.power(exponent)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * scales.count)
    for scale in scales {
      let multiplier = (scale * power).rounded(.toNearestOrAwayFromZero)
      bytes.append(contentsOf: UInt32(min(multiplier, 0xFF_FFFF)).littleEndianBytes)
    }
    try bytes.withUnsafeBytes(put)
    return exponent
  }

  /// Passes on the zeros that follow `count` bytes up to a multiple of 64.
  static func putPadding(after count: Int, put: (UnsafeRawBufferPointer) throws -> Void) throws {
    let padding = TensorEntry.paddedTo64(count) - count
    if padding > 0 { try [UInt8](repeating: 0, count: padding).withUnsafeBytes(put) }
  }

  // MARK: Threads

  /// Calls `convert` for every row of `range` from several threads, each row once.
  ///
  /// - Parameter convert: given the row and the thread's number; nil, or the row's first element that is not finite.
  func forEachRow(
    _ range: Range<Int>, of source: RowSource, _ convert: @Sendable (_ rows: Range<Int>) -> (row: Int, element: Int)?
  ) throws(ImportRejection) {
    let threads = min(self.threads, max(range.count, 1))
    var bad = [(row: Int, element: Int)?](repeating: nil, count: threads)
    bad.withUnsafeMutableBufferPointer { bad in
      // Every thread writes only its own slot.
      nonisolated(unsafe) let bad = bad
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        let first = range.lowerBound + range.count * thread / threads
        let end = range.lowerBound + range.count * (thread + 1) / threads
        bad[thread] = convert(first..<end)
      }
    }
    // Threads own rows in order, so the first slot that is set names the first such element.
    if let (row, element) = bad.lazy.compactMap({ $0 }).first { throw source.notFinite(row: row, element: element) }
  }
}
