/// The candidates of one draw in the order of step 8, without sorting them.
///
/// Weights never grow with the distance to the largest logit, so what top-k, top-p and min-p keep is always a
/// beginning of that order, and a draw is a place in it. Sums over groups of neighbouring distances find the one
/// group in which a beginning ends; only that group is sorted.
///
/// Source: docs/spec/arithmetic.md, section 7, steps 6 to 11.
struct Candidates {
  /// The first candidates in order: how many, and the sum of their weights.
  struct Beginning {
    var count = 0
    var sum = 0
  }

  private let values: [Int]
  private let largest: Int
  private let weights: CandidateWeights
  /// A group holds the distances with the same leading bits.
  private let shift: Int
  private var groups: [Beginning]

  private static let groupBits = 11

  /// - Parameters:
  ///   - values: l of step 4, one per id.
  ///   - largest: the largest of them.
  init(_ values: [Int], largest: Int, temperatureMicros: Int) {
    let weights = CandidateWeights(temperatureMicros: temperatureMicros)
    let shift = max(0, Rounding.bitLength(weights.distanceMax) - Candidates.groupBits)
    var groups = [Beginning](repeating: Beginning(), count: (weights.distanceMax >> shift) + 1)
    groups.withUnsafeMutableBufferPointer { groups in
      values.withUnsafeBufferPointer { values in
        weights.withTable { weight in
          for value in values {
            // Those without weight come after all others in order: they cannot be drawn, nor shift a limit.
            let distance = largest - value
            guard distance <= weights.distanceMax else { continue }
            groups[distance >> shift].count += 1
            groups[distance >> shift].sum += weight(distance)
          }
        }
      }
    }
    self.values = values
    self.largest = largest
    self.weights = weights
    self.shift = shift
    self.groups = groups
  }

  var all: Beginning {
    groups.reduce(into: Beginning()) { all, group in
      all.count += group.count
      all.sum += group.sum
    }
  }

  /// Step 8: the first k.
  func first(_ k: Int) -> Beginning {
    beginning(isWhole: { $0.count <= k }, takes: { before, _ in before.count < k })
  }

  /// Step 9: the shortest beginning whose sum A satisfies A · 10^6 ≥ P · W, W the sum of `kept`.
  func reaching(micros: Int, of kept: Beginning) -> Beginning {
    let wanted = UInt128(micros) * UInt128(kept.sum)
    func isShort(_ sum: Int) -> Bool { UInt128(sum) * 1_000_000 < wanted }
    return beginning(isWhole: { isShort($0.sum) }, takes: { before, _ in isShort(before.sum) })
  }

  /// Step 10: those with w · 10^6 ≥ m · w of the first candidate, which has distance 0 whatever the temperature.
  func weighing(atLeastMicros micros: Int) -> Beginning {
    func passes(_ weight: Int) -> Bool { weight * 1_000_000 >= micros * CandidateWeights.largest }
    var end = 0
    while end < groups.count, passes(weights.weight(min(weights.distanceMax, ((end + 1) << shift) - 1))) { end += 1 }
    return beginning(isWhole: { _ in true }, takes: { _, weight in passes(weight) }, wholeGroups: end)
  }

  /// Step 11: the id of the first candidate whose running sum exceeds r, which is below the sum of all.
  func id(exceeding r: Int) -> Int32 {
    var found: UInt64?
    _ = beginning(
      isWhole: { $0.sum <= r },
      takes: { before, weight in before.sum + weight <= r }, stoppedAt: { found = $0 })
    guard let found else { preconditionFailure("r is below the sum of the weights") }
    return Int32(truncatingIfNeeded: found & ((1 << 20) - 1))
  }

  /// The longest beginning of which whole groups satisfy `isWhole`, and then members of the next group `takes`.
  ///
  /// - Parameters:
  ///   - isWhole: of the beginning up to and with a group.
  ///   - takes: of the beginning before a candidate, and its weight.
  ///   - wholeGroups: so many groups are asked for, and the next one is walked through.
  ///   - stoppedAt: gets the first candidate that was not taken: distance · 2^20 + id.
  private func beginning(
    isWhole: (Beginning) -> Bool, takes: (Beginning, _ weight: Int) -> Bool, wholeGroups: Int = .max,
    stoppedAt: (UInt64) -> Void = { _ in }
  ) -> Beginning {
    var taken = Beginning()
    for (index, group) in groups.enumerated() {
      let next = Beginning(count: taken.count + group.count, sum: taken.sum + group.sum)
      if index < wholeGroups && isWhole(next) {
        taken = next
        continue
      }
      for key in members(of: index) {
        let weight = weights.weight(Int(key >> 20))
        guard takes(taken, weight) else {
          stoppedAt(key)
          return taken
        }
        taken.count += 1
        taken.sum += weight
      }
    }
    return taken
  }

  /// In order: by distance, then id.
  private func members(of group: Int) -> [UInt64] {
    var keys: [UInt64] = []
    keys.reserveCapacity(groups[group].count)
    for (id, value) in values.enumerated() where (largest - value) >> shift == group {
      if largest - value <= weights.distanceMax { keys.append(UInt64(largest - value) << 20 | UInt64(id)) }
    }
    return keys.sorted()
  }
}

/// Steps 6 and 7: the weight of a candidate from its distance to the largest logit.
struct CandidateWeights {
  private let factor: Int
  private let exponential = Tables.exponential
  /// Beyond this distance the weight is 0: its integer part would be 41 with a fraction, or more.
  ///
  /// T(f) < 2^15 for f > 0 makes RS(T(f) · 2^25, 41) vanish, and T(0) = 2^15 makes it 1.
  let distanceMax: Int
  /// The weight at distance 0.
  static let largest = 1 << 40

  init(temperatureMicros: Int) {
    factor = 1_512_775 * 1_000_000 / temperatureMicros
    // RS(distance · K, 24) ≤ 41 · 4096. The cap of 2^30 is far beyond.
    distanceMax = (((41 * 4096 + 1) << 24) - (1 << 23) - 1) / factor
  }

  /// - Parameter distance: at most `distanceMax`.
  func weight(_ distance: Int) -> Int { withTable { $0(distance) } }

  /// The same for many distances.
  @inline(__always)
  func withTable<Result>(_ body: (_ weight: (_ distance: Int) -> Int) -> Result) -> Result {
    exponential.withUnsafeBufferPointer { table in
      body { distance in
        let delta = Rounding.shiftedRight(distance &* factor, by: 24)
        return Rounding.shiftedRight(Int(table[delta & 4095]) << 25, by: delta >> 12)
      }
    }
  }
}
