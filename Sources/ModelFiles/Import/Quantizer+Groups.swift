import Digests
import ModelGraph

extension Quantizer {
  /// linear4 and linear4m: groups of 32 weights with 4 bits and a multiplier each.
  ///
  /// Groups that the source already has stay as they are; others are searched for.
  func groups(
    of source: RowSource, hasMinimums: Bool, factor: RowFactor, put: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Int {
    let (rows, columns) = (source.rowCount, source.columns)
    precondition(columns % GroupRow.size == 0)
    let (rowBytes, groups) = (columns / 2, columns / GroupRow.size)
    let blockRows = min(rows, max(1, Quantizer.blockBytes / max(rowBytes, 1)))
    var block = [UInt8](repeating: 0, count: blockRows * rowBytes)
    var multipliers = [UInt16](repeating: 0, count: rows * groups)
    var minimums = [UInt16](repeating: 0, count: hasMinimums ? rows * groups : 0)
    var scales = [Double](repeating: 0, count: rows)
    for first in stride(from: 0, to: rows, by: blockRows) {
      let range = first..<min(first + blockRows, rows)
      try convert(source, range, into: &block, &multipliers, &minimums, &scales)
      source.release(range)
      try block.withUnsafeBytes { try put(UnsafeRawBufferPointer(rebasing: $0[..<(range.count * rowBytes)])) }
    }
    for r in 0..<rows { scales[r] *= factor[r] }
    try Quantizer.putPadding(after: rows * rowBytes, put: put)
    for list in [multipliers] + (hasMinimums ? [minimums] : []) {
      try list.map(\.littleEndian).withUnsafeBytes(put)
      try Quantizer.putPadding(after: 2 * list.count, put: put)
    }
    return try Quantizer.putMultipliers(scales, put: put)
  }

  private func convert(
    _ source: RowSource, _ range: Range<Int>, into block: inout [UInt8], _ multipliers: inout [UInt16],
    _ minimums: inout [UInt16], _ scales: inout [Double]
  ) throws {
    let (rowBytes, groups) = (source.columns / 2, source.columns / GroupRow.size)
    let keeps = source.groupFormat?.fourBitKind != nil
    try block.withUnsafeMutableBytes { block in
      try multipliers.withUnsafeMutableBufferPointer { multipliers in
        try minimums.withUnsafeMutableBufferPointer { minimums in
          try scales.withUnsafeMutableBufferPointer { scales in
            // Every thread writes only its own rows.
            nonisolated(unsafe) let (block, multipliers, minimums, scales) = (block, multipliers, minimums, scales)
            try forEachRow(range, of: source) { rows in
              var row = GroupRow(columns: source.columns, hasMinimums: !minimums.isEmpty)
              for r in rows {
                if let bad = keeps ? row.take(source, r) : row.search(source, r) { return (r, bad) }
                scales[r] = row.scale(
                  multipliers: UnsafeMutableBufferPointer(rebasing: multipliers[(r * groups)..<((r + 1) * groups)]),
                  minimums: minimums.isEmpty
                    ? nil : UnsafeMutableBufferPointer(rebasing: minimums[(r * groups)..<((r + 1) * groups)]))
                let from = (r - range.lowerBound) * rowBytes
                row.pack(into: UnsafeMutableRawBufferPointer(rebasing: block[from..<(from + rowBytes)]))
              }
              return nil
            }
          }
        }
      }
    }
  }
}

/// One row of 4-bit groups on its way to integers.
///
/// Source: docs/spec/model.md, "linear4".
struct GroupRow {
  static let size = 32

  private var floats: [Float]
  /// u: 0…15.
  private(set) var quants: [UInt8]
  private(set) var scales: [Double]
  /// β, in formats that have them.
  private(set) var minimums: [Double]
  private let hasMinimums: Bool

  init(columns: Int, hasMinimums: Bool) {
    floats = [Float](repeating: 0, count: columns)
    quants = [UInt8](repeating: 0, count: columns)
    scales = [Double](repeating: 0, count: columns / GroupRow.size)
    minimums = scales
    self.hasMinimums = hasMinimums
  }

  /// The groups as the source's blocks state them.
  ///
  /// - Returns: the first element of a group whose scale or minimum is not finite.
  mutating func take(_ source: RowSource, _ r: Int) -> Int? {
    let (part, index) = source.locate(r)
    quants.withUnsafeMutableBufferPointer { quants in
      scales.withUnsafeMutableBufferPointer { scales in
        minimums.withUnsafeMutableBufferPointer { minimums in
          part.tensor.readGroups(row: index, quants: quants, scales: scales, minimums: minimums)
        }
      }
    }
    let bad = scales.indices.first { !scales[$0].isFinite || !minimums[$0].isFinite }
    return bad.map { $0 * GroupRow.size }
  }

  /// The best groups for the row's numbers.
  ///
  /// - Returns: the first element that is not finite.
  mutating func search(_ source: RowSource, _ r: Int) -> Int? {
    floats.withUnsafeMutableBufferPointer { source.readRow(r, into: $0) }
    if let bad = floats.firstIndex(where: { !$0.isFinite }) { return bad }
    floats.withUnsafeBufferPointer { floats in
      quants.withUnsafeMutableBufferPointer { quants in
        for g in scales.indices {
          let range = (g * GroupRow.size)..<((g + 1) * GroupRow.size)
          scales[g] = GroupSearch.run(
            UnsafeBufferPointer(rebasing: floats[range]),
            into: UnsafeMutableBufferPointer(rebasing: quants[range]))
        }
      }
    }
    return nil
  }

  /// Writes every group's multiplier, relative to the row's scale.
  ///
  /// - Returns: the row's scale.
  func scale(
    multipliers: UnsafeMutableBufferPointer<UInt16>, minimums target: UnsafeMutableBufferPointer<UInt16>?
  ) -> Double {
    var largest = scales.reduce(0) { max($0, $1.magnitude) }
    // A minimum is stored in units of 16.
    if target != nil { largest = minimums.reduce(largest) { max($0, $1.magnitude / 16) } }
    guard largest > 0 else {
      multipliers.update(repeating: 0)
      target?.update(repeating: 0)
      return 0
    }
    let k = 25 - Int(largest.exponent)
    let power = Quantizer.power(k)
    for g in scales.indices {
      multipliers[g] = GroupRow.multiplier(scales[g] * power)
      target?[g] = GroupRow.multiplier(minimums[g] / 16 * power)
    }
    return Quantizer.power(-k)
  }

  /// g with V(g) nearest to v, |v| < 2^26: a sign, four bits of exponent, eleven of mantissa.
  static func multiplier(_ v: Double) -> UInt16 {
    let magnitude = v.magnitude
    guard magnitude > 0 else { return 0 }
    var t = max(0, Int(magnitude.exponent) - 10)
    var mantissa = Int((magnitude / Quantizer.power(t)).rounded(.toNearestOrAwayFromZero))
    if mantissa == 2048 { (mantissa, t) = (1024, t + 1) }
    if t > 15 { (mantissa, t) = (2047, 15) }
    guard mantissa > 0 else { return 0 }
    return UInt16(v < 0 ? 0x8000 : 0) | UInt16(t) << 11 | UInt16(mantissa)
  }

  /// Two weights a byte, the first in the low half.
  func pack(into target: UnsafeMutableRawBufferPointer) {
    for i in 0..<target.count { target[i] = quants[2 * i] | quants[2 * i + 1] << 4 }
  }
}
