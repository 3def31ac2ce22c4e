import CKernels
import ModelGraph

extension ChunkProgram {
  /// How products of one input are cut into units: tiles of rows, and in each tile ranges of output blocks.
  private struct Cut {
    let rowsPerTile: Int
    let tiles: Int
    /// Weights that a unit reads.
    private let weightsPerUnit: Int

    /// Activations of a tile stay in a core's second-level cache.
    private static let tileBytes = 384 << 10
    /// With as many rows for each member, every member keeps to its own rows from step to step.
    private static let rowsPerMember = 24
    /// Units of one member, so that who is done early can help.
    private static let unitsPerMember = 6
    /// A unit is not worth fetching below this many weights.
    private static let unitWeights = 16 << 10

    init(_ linears: UnsafeBufferPointer<LinearOperation>, _ range: Range<Int>, rows: Int, members: Int) {
      let input = Int(linears[range.lowerBound].weight.c.in_padded)
      let fitting = max(16, Cut.tileBytes / (2 * input) / 16 * 16)
      var tiles = (rows + fitting - 1) / fitting
      if members > 1 && rows >= Cut.rowsPerMember * members { tiles = (tiles + members - 1) / members * members }
      self.tiles = tiles
      rowsPerTile = (rows + tiles - 1) / tiles
      let weights = range.reduce(0) { $0 + Int(linears[$1].weight.c.out_padded) } * input
      let unitsPerTile = members == 1 ? 1 : (Cut.unitsPerMember * members + tiles - 1) / tiles
      weightsPerUnit = max(Cut.unitWeights, (weights + unitsPerTile - 1) / unitsPerTile)
    }

    func blocksPerUnit(_ weight: PackedLinear) -> Int {
      max(1, weightsPerUnit / (Int(weight.c.in_padded) * Int(EV_BLOCK_OUTPUTS)))
    }

    /// Units of one weight in each tile.
    func ranges(_ weight: PackedLinear) -> Int {
      let blocks = blocksPerUnit(weight)
      return (weight.blocks + blocks - 1) / blocks
    }
  }

  func runLinears(_ range: Range<Int>, _ member: Crew.Member) {
    plan.linears.withUnsafeBufferPointer { linears in
      runLinears(linears, range, rows: chunk.rows, member)
      if trace != nil {
        member.alone { for index in range { emit(linears[index].node, linears[index].out) } }
      }
    }
  }

  private func runLinears(
    _ linears: UnsafeBufferPointer<LinearOperation>, _ range: Range<Int>, rows: Int, _ member: Crew.Member
  ) {
    let cut = Cut(linears, range, rows: rows, members: member.count)
    let unitsPerTile = range.reduce(0) { $0 + cut.ranges(linears[$1].weight) }
    member.forEach(cut.tiles * unitsPerTile) { unit in
      var part = unit % unitsPerTile
      for index in range {
        let ranges = cut.ranges(linears[index].weight)
        if part < ranges {
          multiply(linears[index], cut, tile: unit / unitsPerTile, part: part, rows: rows)
          return
        }
        part -= ranges
      }
    }
  }

  private func multiply(_ linear: LinearOperation, _ cut: Cut, tile: Int, part: Int, rows: Int) {
    let firstRow = tile * cut.rowsPerTile
    let count = min(cut.rowsPerTile, rows - firstRow)
    if count <= 0 { return }
    let blocks = cut.blocksPerUnit(linear.weight)
    let firstBlock = part * blocks
    let (input, out) = (linear.input, linear.out)
    var weight = linear.weight.c
    kernels.pointee.linear8(
      &weight, input.planes(firstRow), input.planeBytes, Int32(count), Int32(firstBlock),
      Int32(min(firstBlock + blocks, linear.weight.blocks)), out.int32(firstRow), out.rowBytes / 4)
    guard part == 0 else { return }
    for row in firstRow..<(firstRow + count) {
      out.exponents(row)[0] = input.exponents(row)[0] + weight.shift - linear.weight.exponent
    }
  }

  // MARK: Logits

  /// The last product, over the wanted rows only, as many at a time as their results have room.
  func runLogits(_ linear: LinearOperation, _ member: Crew.Member) {
    for first in stride(from: 0, to: chunk.wanted.count, by: plan.logitsRowsMax) {
      let rows = min(plan.logitsRowsMax, chunk.wanted.count - first)
      let source = linear.input
      let gathered = plan.logitsInput
      member.alone {
        for i in 0..<rows {
          let row = chunk.wanted[first + i]
          gathered.planes(i).copyMemory(from: source.planes(row), byteCount: source.planeBytes)
          gathered.exponents(i)[0] = source.exponents(row)[0]
        }
      }
      let product = LinearOperation(weight: linear.weight, input: gathered, out: linear.out, node: linear.node)
      withUnsafePointer(to: product) { pointer in
        runLinears(UnsafeBufferPointer(start: pointer, count: 1), 0..<1, rows: rows, member)
      }
      member.alone { deliver(product, first..<(first + rows)) }
    }
  }

  private func deliver(_ linear: LinearOperation, _ range: Range<Int>) {
    for (i, wantedIndex) in range.enumerated() {
      let row = chunk.wanted[wantedIndex]
      let slice = chunk.runs[chunk.runOfRow[row]].slice
      if let trace {
        let name = plan.names[linear.node]
        trace(slice, TraceRecord(name: name, position: chunk.position(row), value: linear.out.value(i)))
      }
      let values = UnsafeBufferPointer(start: linear.out.int32(i), count: linear.out.width)
      logitsSink?(slice, chunk.position(row), LogitsRow(values: values, exponent: Int(linear.out.exponents(i)[0])))
    }
  }
}
