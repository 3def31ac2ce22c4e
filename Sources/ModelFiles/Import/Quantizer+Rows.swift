import ModelGraph

extension Quantizer {
  /// linear8, linear16 and table16: w_i = round(x_i · limit / max |x|).
  func rows<T: FixedWidthInteger & Sendable>(
    of source: RowSource, as _: T.Type, limit: Double, factor: RowFactor,
    put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let (rows, columns) = (source.rowCount, source.columns)
    let rowBytes = columns * MemoryLayout<T>.size
    let blockRows = min(rows, max(1, Quantizer.blockBytes / max(rowBytes, 1)))
    var block = [UInt8](repeating: 0, count: blockRows * rowBytes)
    var scales = [Double](repeating: 0, count: rows)
    for first in stride(from: 0, to: rows, by: blockRows) {
      let range = first..<min(first + blockRows, rows)
      try convert(source, range, as: T.self, limit: limit, into: &block, &scales)
      source.release(range)
      try block.withUnsafeBytes { try put(UnsafeRawBufferPointer(rebasing: $0[..<(range.count * rowBytes)])) }
    }
    for r in 0..<rows { scales[r] = scales[r] / limit * factor[r] }
    try Quantizer.putPadding(after: rows * rowBytes, put: put)
    return try Quantizer.putMultipliers(scales, put: put)
  }

  /// Converts rows `range` into `block` and puts each row's largest magnitude into `largest`.
  private func convert<T: FixedWidthInteger & Sendable>(
    _ source: RowSource, _ range: Range<Int>, as _: T.Type, limit: Double, into block: inout [UInt8],
    _ largest: inout [Double]
  ) throws {
    let columns = source.columns
    let rowBytes = columns * MemoryLayout<T>.size
    try block.withUnsafeMutableBytes { block in
      try largest.withUnsafeMutableBufferPointer { largest in
        // Every thread writes only its own rows.
        nonisolated(unsafe) let (block, largest) = (block, largest)
        try forEachRow(range, of: source) { rows in
          var floats = [Float](repeating: 0, count: columns)
          for r in rows {
            let from = (r - range.lowerBound) * rowBytes
            let target = UnsafeMutableRawBufferPointer(rebasing: block[from..<(from + rowBytes)])
              .bindMemory(to: T.self)
            let bad: Int?
            if source.added == nil && source.addend == 0 {
              bad = floats.withUnsafeMutableBufferPointer { floats in
                source.readRow(r, into: floats)
                largest[r] = Double(Quantizer.largestMagnitude(UnsafeBufferPointer(floats)) ?? .nan)
                guard largest[r].isFinite else { return floats.firstIndex { !$0.isFinite } ?? 0 }
                Quantizer.quantize(UnsafeBufferPointer(floats), largest[r], into: target, limit: limit)
                return nil
              }
            } else {
              let wide = source.wideRow(r)
              largest[r] = wide.reduce(0) { max($0, $1.magnitude) }
              bad = wide.firstIndex { !$0.isFinite }
              if bad == nil {
                wide.withUnsafeBufferPointer { Quantizer.quantize($0, largest[r], into: target, limit: limit) }
              }
            }
            if let bad { return (r, bad) }
          }
          return nil
        }
      }
    }
  }

  /// max |x|; nil when an element is not finite.
  @inline(__always)
  static func largestMagnitude(_ row: UnsafeBufferPointer<Float>) -> Float? {
    // The order of magnitudes is the order of their bit patterns; infinities and NaNs come last.
    var largestBits: UInt32 = 0
    for x in row { largestBits = max(largestBits, x.bitPattern & 0x7FFF_FFFF) }
    return largestBits < 0x7F80_0000 ? Float(bitPattern: largestBits) : nil
  }

  /// w_i = round(x_i · limit / largest), ties away from zero.
  @inline(__always)
  private static func quantize<X: BinaryFloatingPoint, T: FixedWidthInteger>(
    _ row: UnsafeBufferPointer<X>, _ largest: Double, into target: UnsafeMutableBufferPointer<T>, limit: Double
  ) {
    guard largest > 0 else {
      for i in 0..<row.count { target[i] = 0 }
      return
    }
    for i in 0..<row.count {
      // |v| ≤ limit, up to rounding that does not reach the next half.
      let v = Double(row[i]) * limit / largest
      let whole = Int32(v)
      let rest = v - Double(whole)
      let carry: Int32 = rest >= 0.5 ? 1 : rest <= -0.5 ? -1 : 0
      target[i] = T(truncatingIfNeeded: whole &+ carry)
    }
  }
}
