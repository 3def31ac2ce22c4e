import CKernels
import ModelGraph

extension ChunkProgram {
  /// How a product is cut into units: tiles of rows, and ranges of output blocks.
  private struct Cut {
    let rowsPerTile: Int
    let tiles: Int
    let blocksPerUnit: Int
    let ranges: Int
    var units: Int { tiles * ranges }

    /// Activations of a tile stay in a core's second-level cache.
    private static let tileBytes = 384 << 10
    /// A unit is not worth fetching below this many weights.
    private static let unitWeights = 16 << 10

    init(_ weight: PackedLinear, rows: Int, members: Int) {
      let input = Int(weight.c.in_padded)
      let fitting = max(16, Cut.tileBytes / (2 * input) / 16 * 16)
      tiles = (rows + fitting - 1) / fitting
      rowsPerTile = (rows + tiles - 1) / tiles
      let wantedRanges = members == 1 ? 1 : members * 8
      let smallest = max(1, Cut.unitWeights / (input * Int(EV_BLOCK_OUTPUTS)))
      blocksPerUnit = max(smallest, (weight.blocks + wantedRanges - 1) / wantedRanges)
      ranges = (weight.blocks + blocksPerUnit - 1) / blocksPerUnit
    }
  }

  func runLinears(_ range: Range<Int>, _ member: Crew.Member) {
    plan.linears.withUnsafeBufferPointer { linears in
      var units = 0
      for index in range { units += Cut(linears[index].weight, rows: chunk.rows, members: members).units }
      member.forEach(units) { unit in
        var rest = unit
        for index in range {
          let cut = Cut(linears[index].weight, rows: chunk.rows, members: members)
          if rest < cut.units {
            multiply(linears[index], cut, rest, rows: chunk.rows)
            return
          }
          rest -= cut.units
        }
      }
      if trace != nil {
        member.alone { for index in range { emit(linears[index].node, linears[index].out) } }
      }
    }
  }

  private func multiply(_ linear: LinearOperation, _ cut: Cut, _ unit: Int, rows: Int) {
    let (tile, part) = unit.quotientAndRemainder(dividingBy: cut.ranges)
    let firstRow = tile * cut.rowsPerTile
    let count = min(cut.rowsPerTile, rows - firstRow)
    let firstBlock = part * cut.blocksPerUnit
    let (input, out) = (linear.input, linear.out)
    var weight = linear.weight.c
    kernels.pointee.linear8(
      &weight, input.planes(firstRow), input.planeBytes, Int32(count), Int32(firstBlock),
      Int32(min(firstBlock + cut.blocksPerUnit, linear.weight.blocks)), out.int32(firstRow), out.rowBytes / 4)
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
      let cut = Cut(linear.weight, rows: rows, members: members)
      member.forEach(cut.units) { multiply(product, cut, $0, rows: rows) }
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
