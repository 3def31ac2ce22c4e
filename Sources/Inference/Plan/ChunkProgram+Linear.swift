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
      let weights = range.reduce(0) { $0 + linears[$1].weight.paddedRows } * input
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
      kernels, input.planes(firstRow), planeBytes: input.planeBytes, rows: count,
      blocks: firstBlock..<min(firstBlock + blocks, linear.weight.blocks), into: out.int32(firstRow),
      stride: out.rowBytes / 4)
    guard part == 0 else { return }
    for row in firstRow..<(firstRow + count) {
      out.exponents(row)[0] = input.exponents(row)[0] + linear.weight.exponent
    }
  }

  // MARK: Logits

  /// The last product, over the wanted rows only, as many at a time as their results have room.
  func runLogits(_ logits: LogitsOperation, _ member: Crew.Member) {
    guard let gathered = plan.logitsInput else { preconditionFailure("a decoder has room for what logits read") }
    let product = LinearOperation(
      weight: logits.product.weight, input: gathered, out: logits.product.out, node: logits.product.node)
    for first in stride(from: 0, to: chunk.wanted.count, by: plan.logitsRowsMax) {
      let rows = first..<min(first + plan.logitsRowsMax, chunk.wanted.count)
      member.alone { gather(rows, from: logits.product.input, to: gathered) }
      withUnsafePointer(to: product) { pointer in
        runLinears(UnsafeBufferPointer(start: pointer, count: 1), 0..<1, rows: rows.count, member)
      }
      if trace != nil { member.alone { emitLogits(product.node, product.out, rows) } }
      if let softcap = logits.softcap {
        cap(product.out, softcap.cap, rows: rows.count, member)
        if trace != nil { member.alone { emitLogits(softcap.node, product.out, rows) } }
      }
      member.alone { deliver(product.out, rows) }
    }
  }

  private func gather(_ range: Range<Int>, from source: ValueBuffer, to gathered: ValueBuffer) {
    for (i, wanted) in range.enumerated() {
      let row = chunk.wanted[wanted]
      gathered.planes(i).copyMemory(from: source.planes(row), byteCount: source.planeBytes)
      gathered.exponents(i)[0] = source.exponents(row)[0]
    }
  }

  private func cap(_ out: ValueBuffer, _ cap: Int32, rows: Int, _ member: Crew.Member) {
    let piece = 16 << 10
    let pieces = (out.width + piece - 1) / piece
    member.forEach(rows * pieces) { unit in
      let (row, first) = (unit / pieces, unit % pieces * piece)
      kernels.pointee.softcap(
        out.int32(row) + first, Int32(min(piece, out.width - first)), out.exponents(row)[0], cap, tables.tanh)
    }
    member.alone {
      for row in 0..<rows { out.exponents(row)[0] = -16 }
    }
  }

  private func emitLogits(_ node: Int, _ out: ValueBuffer, _ range: Range<Int>) {
    for (i, wanted) in range.enumerated() {
      let row = chunk.wanted[wanted]
      trace?(
        chunk.runs[chunk.runOfRow[row]].slice,
        TraceRecord(name: plan.names[node], position: chunk.position(row), value: out.value(i)))
    }
  }

  private func deliver(_ out: ValueBuffer, _ range: Range<Int>) {
    for (i, wanted) in range.enumerated() {
      let row = chunk.wanted[wanted]
      let values = UnsafeBufferPointer(start: out.int32(i), count: out.width)
      logitsSink?(
        chunk.runs[chunk.runOfRow[row]].slice, chunk.position(row),
        LogitsRow(values: values, exponent: Int(out.exponents(i)[0])))
    }
  }
}
