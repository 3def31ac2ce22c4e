import CKernels
import ModelGraph

/// Takes one chunk through the plan, on all members of the crew at once.
final class ChunkProgram: CrewProgram {
  typealias TraceSink = (_ slice: Int, _ record: TraceRecord) -> Void
  typealias LogitsSink = (_ slice: Int, _ position: Int, _ logits: LogitsRow) -> Void
  typealias ResidualSink = (_ slice: Int, _ position: Int, _ residual: UnsafeBufferPointer<Int64>) -> Void

  let plan: Plan
  let kernels: UnsafePointer<ev_kernel_set>
  let epsilon: Int64
  let fractionBits: Int32
  let headDimension: Int
  let pageLayout: PageLayout
  var chunk: Chunk
  /// Present only while a caller wants them.
  var trace: TraceSink?
  var logitsSink: LogitsSink?
  var residualSink: ResidualSink?
  var clock: StepClock?
  var routing = ExpertRouting()
  let tables = KernelTables.shared
  let scratch: Scratch

  init(plan: Plan, kernels: UnsafePointer<ev_kernel_set>, image: ModelImage, pageLayout: PageLayout, members: Int)
    throws(EngineFailure)
  {
    self.plan = plan
    self.kernels = kernels
    self.pageLayout = pageLayout
    epsilon = Int64(image.manifest.config.normEpsilon)
    fractionBits = Int32(image.manifest.config.residualFractionBits)
    headDimension = image.manifest.config.headDimension
    chunk = Chunk(rowsMax: plan.rowsMax)
    scratch = try Scratch(
      members: members, vectorBytes: plan.vectorScratchBytes, expertBytes: plan.expertScratch.byteCount)
  }

  /// Multiplications of the chunk, the last product and attention aside.
  var multiplications: Int { chunk.rows * plan.weightsPerRow }

  /// Makes room for attention; the only memory that grows with the context.
  func prepareScratch() throws(EngineFailure) {
    var bytes = 0
    for step in plan.steps {
      guard case .attention(let attention) = step else { continue }
      let rows = chunk.tiles.reduce(0) { max($0, $1.rows) }
      bytes = max(
        bytes,
        ev_attention_scratch_bytes(
          Int32(rows), Int32(attention.heads / attention.keyValueHeads), Int32(headDimension),
          Int32(chunk.positionsEnd)))
    }
    try scratch.reserveAttention(bytes: bytes)
  }

  func run(_ member: Crew.Member) {
    let clock = member.index == 0 ? clock : nil
    clock?.begin()
    for (index, step) in plan.steps.enumerated() {
      switch step {
      case .rows(let range): runRows(range, member)
      case .linear(let range): runLinears(range, member)
      case .experts(let step): runExperts(step, member)
      case .attention(let attention): runAttention(attention, member)
      case .logits(let logits): runLogits(logits, member)
      case .residuals(let residual): member.alone { deliver(residual) }
      }
      if let clock { end(index, clock) }
    }
  }

  private func end(_ step: Int, _ clock: StepClock) {
    let (weights, rows) = plan.weights(of: step, chunk)
    clock.end(
      step, multiplications: rows * weights.reduce(0) { $0 + $1.rows * $1.columns },
      weightBytes: rows == 0 ? 0 : weights.reduce(0) { $0 + $1.byteCount })
  }

  // MARK: Rows

  private func runRows(_ range: Range<Int>, _ member: Crew.Member) {
    let vector = scratch.vector(member.index)
    guard trace != nil else {
      plan.rowOperations.withUnsafeBufferPointer { operations in
        member.forEach(chunk.rows) { row in
          for index in range { apply(operations[index], row, vector) }
        }
      }
      return
    }
    for index in range {
      let operation = plan.rowOperations[index]
      member.forEach(chunk.rows) { row in apply(operation, row, vector) }
      if let node = operation.node { member.alone { emit(node, operation.out) } }
    }
  }

  // MARK: Attention

  private func runAttention(_ a: AttentionOperation, _ member: Crew.Member) {
    let memory = scratch.attention(member.index)
    let kernel = kernels.pointee.attention!
    // Few units that members cannot share evenly are divided further, at the cost of reading keys and values more
    // than once.
    let whole = a.heads / a.keyValueHeads
    let units = chunk.tiles.count * a.keyValueHeads
    let isCoarse = units < 4 * member.count && !units.isMultiple(of: member.count)
    let parts = isCoarse ? whole : 1
    let group = whole / parts
    member.forEach(chunk.tiles.count * a.keyValueHeads * parts) { unit in
      let tile = chunk.tiles[unit / (a.keyValueHeads * parts)]
      let firstHead = unit % (a.keyValueHeads * parts) * group
      let run = chunk.runs[tile.run]
      let (queries, out) = (a.queries, a.out)
      var call = ev_attention(
        q: queries.int16(tile.firstRow) + firstHead * headDimension,
        q_exponent: queries.exponents(tile.firstRow) + firstHead,
        pages: run.pages, page_offset: pageLayout.offset(cache: a.cache, head: firstHead / whole),
        out: out.int32(tile.firstRow) + firstHead * headDimension,
        out_exponent: out.exponents(tile.firstRow) + firstHead,
        q_stride: queries.rowBytes / 2, q_exponent_stride: queries.heads, out_stride: out.rowBytes / 4,
        out_exponent_stride: out.heads,
        first_position: Int32(run.firstPosition + tile.firstRow - run.firstRow), rows: Int32(tile.rows),
        group: Int32(group), hd: Int32(headDimension), window: Int32(a.window),
        visible_end: a.causal ? 0 : Int32(run.firstPosition + run.rows), softcap: Int32(a.softcap),
        tanh_table: tables.tanh)
      kernel(&call, memory)
    }
    if trace != nil { member.alone { emit(a.node, a.out) } }
  }

  // MARK: Results

  private func deliver(_ out: ValueBuffer) {
    for row in 0..<chunk.rows {
      let residual = UnsafeBufferPointer(start: UnsafePointer(out.residual(row)), count: out.width)
      residualSink?(chunk.runs[chunk.runOfRow[row]].slice, chunk.position(row), residual)
    }
  }

  func emit(_ node: Int, _ out: ValueBuffer) {
    guard let trace else { return }
    for row in 0..<chunk.rows {
      let record = TraceRecord(name: plan.names[node], position: chunk.position(row), value: out.value(row))
      trace(chunk.runs[chunk.runOfRow[row]].slice, record)
    }
  }
}
