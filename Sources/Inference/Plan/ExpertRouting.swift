import CKernels

/// Which rows of a chunk go to which expert, and the units of work that come of it.
struct ExpertRouting {
  /// A row's slot.
  struct Pair {
    let row: Int
    let slot: Int
  }

  /// Pairs of one expert, and some of its outputs.
  struct Unit {
    let product: Int
    let expert: Int
    let pairs: Range<Int>
    let blocks: Range<Int>
  }

  /// By expert, then row, then slot.
  private(set) var pairs: [Pair] = []
  private(set) var units: [Unit] = []
  /// For each expert, where its pairs end.
  private var ends: [Int] = []

  /// Units of one member, so that who is done early can help.
  private static let unitsPerMember = 6
  /// A unit is not worth fetching below this many weights.
  private static let unitWeights = 16 << 10

  mutating func route(_ step: ExpertStep, rows: Int, members: Int, scratch: ExpertScratch) {
    sort(step.routes, rows: rows, experts: step.products[0].weights.count)
    units.removeAll(keepingCapacity: true)
    let wanted = members == 1 ? 1 : members * ExpertRouting.unitsPerMember
    var tiles = 0
    forEachTile { _, _ in tiles += 1 }
    let parts = (wanted + tiles * step.products.count - 1) / max(1, tiles * step.products.count)
    let outputs = Int(EV_BLOCK_OUTPUTS)
    for (index, product) in step.products.enumerated() {
      let weight = product.weights[0]
      let blocksMin = max(1, ExpertRouting.unitWeights / (weight.paddedColumns * outputs))
      let even = max(blocksMin, (weight.blocks + parts - 1) / parts)
      let blocks = min(even, max(1, scratch.outputsMax / outputs))
      forEachTile { expert, pairs in
        for first in stride(from: 0, to: weight.blocks, by: blocks) {
          units.append(
            Unit(
              product: index, expert: expert, pairs: pairs, blocks: first..<min(first + blocks, weight.blocks)))
        }
      }
    }
  }

  /// Counts, then places.
  private mutating func sort(_ routes: ValueBuffer, rows: Int, experts: Int) {
    ends.removeAll(keepingCapacity: true)
    ends.append(contentsOf: repeatElement(0, count: experts))
    for row in 0..<rows {
      for slot in 0..<routes.width { ends[Int(routes.experts(row)[slot])] += 1 }
    }
    var total = 0
    for expert in 0..<experts {
      total += ends[expert]
      ends[expert] = total - ends[expert]
    }
    pairs.removeAll(keepingCapacity: true)
    pairs.append(contentsOf: repeatElement(Pair(row: 0, slot: 0), count: total))
    for row in 0..<rows {
      for slot in 0..<routes.width {
        let expert = Int(routes.experts(row)[slot])
        pairs[ends[expert]] = Pair(row: row, slot: slot)
        ends[expert] += 1
      }
    }
  }

  private func forEachTile(_ body: (_ expert: Int, _ pairs: Range<Int>) -> Void) {
    var first = 0
    for (expert, end) in ends.enumerated() {
      for start in stride(from: first, to: end, by: ExpertScratch.rowsMax) {
        body(expert, start..<min(start + ExpertScratch.rowsMax, end))
      }
      first = end
    }
  }
}
