extension ReferenceOperators {
  /// 4.14 route(act32, slots) → routes: the largest of a router's outputs and their shares.
  ///
  /// - Parameter sharesOfAll: whether shares are of all experts instead of the slots only.
  package static func route(_ x: Act32, slots: Int, sharesOfAll: Bool) -> Routes {
    let order = x.t.indices.sorted { x.t[$0] == x.t[$1] ? $0 < $1 : x.t[$0] > x.t[$1] }
    let ids = Array(order[..<slots])
    let scores = x.t.map { Rounding.scaled(Int($0), byPowerOfTwo: x.exponent + 12, limit: (1 << 30) - 1) }
    let largest = scores.max() ?? 0
    let exponential = Tables.exponential
    let weights = scores.map { score in
      let distance = largest - score
      return Rounding.shiftedRight(Int(exponential[distance & 4095]) << 9, by: distance >> 12)
    }
    // At most 1024 weights of at most 2^24 each, and the first slot's is 2^24.
    let sum = sharesOfAll ? weights.reduce(0, +) : ids.reduce(0) { $0 + weights[$1] }
    return Routes(
      ids: ids.map { Int32($0) }, shares: ids.map { Int32(Rounding.divided(weights[$0] << 24, by: sum)) })
  }
}
