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
