/// The scale of a group of 32 numbers with the least error among seventeen.
///
/// Source: docs/spec/model.md, "linear4".
enum GroupSearch {
  static let candidates = 17
  /// Seventeen candidates, padded: every lane is one of them, so that each lane's sums run over the elements in
  /// order.
  private typealias Lanes = SIMD4<Double>
  private static let vectors = 5

  /// - Parameters:
  ///   - x: 32 finite numbers.
  ///   - quants: receives q + 8.
  /// - Returns: the group's scale, which has the sign opposite to the largest number's.
  static func run(_ x: UnsafeBufferPointer<Float>, into quants: UnsafeMutableBufferPointer<UInt8>) -> Double {
    var extreme: Float = 0
    for value in x where value.magnitude > extreme.magnitude { extreme = value }
    guard extreme != 0 else {
      quants.update(repeating: 8)
      return 0
    }
    var best = (score: -1.0, candidate: 0, scale: 0.0)
    for v in 0..<vectors {
      let (numerator, denominator) = sums(x, scales: scales(extreme, v))
      let score = numerator * numerator / denominator
      for lane in 0..<4 where 4 * v + lane < candidates && score[lane] > best.score {
        best = (score[lane], 4 * v + lane, numerator[lane] / denominator[lane])
      }
    }
    let scale = -Double(extreme) / (8 - Double(best.candidate) / 8)
    for i in 0..<x.count { quants[i] = UInt8(truncatingIfNeeded: Int32(quantised(Double(x[i]), scale)) &+ 8) }
    return best.scale
  }

  /// s_c = -x / (8 - c/8).
  @inline(__always)
  private static func scales(_ extreme: Float, _ v: Int) -> Lanes {
    let c = Lanes(0, 1, 2, 3) + Double(4 * v)
    return Lanes(repeating: -Double(extreme)) / (8 - c / 8)
  }

  /// Σ x_i · q_i and Σ q_i².
  @inline(__always)
  private static func sums(_ x: UnsafeBufferPointer<Float>, scales: Lanes) -> (Lanes, Lanes) {
    // Adding and subtracting 1.5 · 2^52 rounds to an integer, ties to even.
    let magic = 0x1.8p52
    let inverse = 1 / scales
    var (numerator, denominator) = (Lanes.zero, Lanes.zero)
    for value in x {
      let number = Double(value)
      let product = number * inverse
      var q = (product + magic) - magic
      // Multiplying by the inverse rounds twice. Where that, or a tie, could matter, the quotient itself decides.
      let distance = (product - q)
      let near = (distance * distance) .> 0.2499999
      if any(near) {
        for lane in 0..<4 { q[lane] = rounded(number / scales[lane]) }
      }
      q.clamp(lowerBound: Lanes(repeating: -8), upperBound: Lanes(repeating: 7))
      numerator += number * q
      denominator += q * q
    }
    return (numerator, denominator)
  }

  @inline(__always)
  private static func rounded(_ x: Double) -> Double { x.rounded(.toNearestOrAwayFromZero) }

  @inline(__always)
  private static func quantised(_ x: Double, _ scale: Double) -> Double { min(max(rounded(x / scale), -8), 7) }
}
