import CKernels

/// Which rows chose which expert, sorted by expert: who multiplies one row after another with the same
/// weights finds them in its cache.
struct ExpertChoices {
  struct Choice {
    let expert: Int32
    let row: Int32
    let slot: Int32
  }
  private(set) var list: [Choice] = []

  init(choicesMax: Int) { list.reserveCapacity(choicesMax) }

  mutating func gather(_ routes: ValueBuffer, rows: Int) {
    list.removeAll(keepingCapacity: true)
    for row in 0..<rows {
      let ids = routes.experts(row)
      for slot in 0..<routes.width {
        list.append(Choice(expert: ids[slot], row: Int32(row), slot: Int32(slot)))
      }
    }
    // Any order gives the same results.
    list.sort { ($0.expert, $0.row) < ($1.expert, $1.row) }
  }
}

extension ChunkProgram {
  /// Weights that a unit of work reads at least.
  private static let unitWeights = 16 << 10

  func runExperts(_ operations: [ExpertOperation], _ member: Crew.Member) {
    member.alone { choices.gather(operations[0].routes, rows: chunk.rows) }
    let ranges = operations.map { Self.ranges($0.experts[0]) }
    let unitsPerChoice = ranges.reduce(0, +)
    member.forEach(choices.list.count * unitsPerChoice) { unit in
      var part = unit % unitsPerChoice
      for (operation, count) in zip(operations, ranges) {
        if part < count {
          multiply(operation, choices.list[unit / unitsPerChoice], part: part, of: count)
          return
        }
        part -= count
      }
    }
    if trace != nil { member.alone { for operation in operations { emit(operation.node, operation.out) } } }
  }

  /// The products of every slot, then their sum.
  func runExpertSum(_ operation: ExpertOperation, _ member: Crew.Member) {
    member.alone { choices.gather(operation.routes, rows: chunk.rows) }
    let count = Self.ranges(operation.experts[0])
    member.forEach(choices.list.count * count) { unit in
      multiply(operation, choices.list[unit / count], part: unit % count, of: count)
    }
    let out = operation.out
    let exponent = operation.experts[0].exponentOfProduct
    member.forEach(chunk.rows) { row in
      kernels.pointee.combine_experts(
        operation.products.int32(row), out.width, Int32(operation.routes.width), Int32(out.width),
        operation.routes.shares(row), out.int32(row))
      out.exponents(row)[0] = operation.input.exponents(row)[0] + exponent
    }
    if trace != nil { member.alone { emit(operation.node, out) } }
  }

  /// Ranges of blocks into which the product with one expert is cut.
  private static func ranges(_ weight: PackedLinear) -> Int {
    let blocks = max(1, unitWeights / (weight.paddedColumns * Int(EV_BLOCK_OUTPUTS)))
    return (weight.blocks + blocks - 1) / blocks
  }

  private func multiply(_ operation: ExpertOperation, _ choice: ExpertChoices.Choice, part: Int, of count: Int) {
    let weight = operation.experts[Int(choice.expert)]
    let (row, slot) = (Int(choice.row), Int(choice.slot))
    let input = operation.input
    // The input has a part for every slot, or is the same for all.
    let planes = input.planes(row) + (input.shape.parts > 1 ? slot * input.shape.partBytes : 0)
    weight.multiply(
      kernels, planes: planes, planeBytes: input.shape.partBytes, rows: 1,
      blocks: (weight.blocks * part / count)..<(weight.blocks * (part + 1) / count),
      t: operation.products.int32(row) + slot * weight.rows, stride: weight.rows)
    if part == 0 && slot == 0 {
      operation.products.exponents(row)[0] = input.exponents(row)[0] + weight.exponentOfProduct
    }
  }
}
