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
      let input = linears[range.lowerBound].weight.paddedColumns
      let fitting = max(16, Cut.tileBytes / (2 * input) / 16 * 16)
      var tiles = (rows + fitting - 1) / fitting
      if members > 1 && rows >= Cut.rowsPerMember * members { tiles = (tiles + members - 1) / members * members }
      self.tiles = tiles
      rowsPerTile = (rows + tiles - 1) / tiles
      let weights = range.reduce(0) { $0 + linears[$1].weight.blocks } * Int(EV_BLOCK_OUTPUTS) * input
      let unitsPerTile = members == 1 ? 1 : (Cut.unitsPerMember * members + tiles - 1) / tiles
      weightsPerUnit = max(Cut.unitWeights, (weights + unitsPerTile - 1) / unitsPerTile)
    }

    func blocksPerUnit(_ weight: PackedLinear) -> Int {
      max(1, weightsPerUnit / (weight.paddedColumns * Int(EV_BLOCK_OUTPUTS)))
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
    linear.weight.multiply(
      kernels, planes: input.planes(firstRow), planeBytes: input.planeBytes, rows: count,
      blocks: firstBlock..<min(firstBlock + blocks, linear.weight.blocks), t: out.int32(firstRow),
      stride: out.rowBytes / 4)
    guard part == 0 else { return }
    for row in firstRow..<(firstRow + count) {
      out.exponents(row)[0] = input.exponents(row)[0] + linear.weight.exponentOfProduct
    }
  }

  // MARK: Logits

  /// The last product, over the wanted rows only, as many at a time as their results have room.
  func runLogits(_ linear: LinearOperation, _ cap: SoftcapOperation?, _ member: Crew.Member) {
    guard let gathered = plan.logitsInput else { preconditionFailure("a graph with logits has room for their input") }
    for first in stride(from: 0, to: chunk.wanted.count, by: plan.logitsRowsMax) {
      let rows = min(plan.logitsRowsMax, chunk.wanted.count - first)
      let source = linear.input
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
      member.alone { deliver(product, cap, first..<(first + rows)) }
    }
  }

  private func deliver(_ linear: LinearOperation, _ cap: SoftcapOperation?, _ range: Range<Int>) {
    for (i, wantedIndex) in range.enumerated() {
      let row = chunk.wanted[wantedIndex]
      let slice = chunk.runs[chunk.runOfRow[row]].slice
      let out = linear.out
      func emit(_ node: Int) {
        trace?(slice, TraceRecord(name: plan.names[node], position: chunk.position(row), value: out.value(i)))
      }
      emit(linear.node)
      if let cap {
        kernels.pointee.softcap(out.int32(i), Int32(out.width), out.exponents(i)[0], cap.cap, tables.tanh)
        out.exponents(i)[0] = -16
        emit(cap.node)
      }
      let values = UnsafeBufferPointer(start: out.int32(i), count: out.width)
      logitsSink?(slice, chunk.position(row), LogitsRow(values: values, exponent: Int(out.exponents(i)[0])))
    }
  }
}
