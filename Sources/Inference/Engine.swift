import CKernels
public import ModelGraph
import Synchronization

/// Evaluates a model fast; the results are those of `ReferenceInterpreter`, bit for bit.
///
/// No result depends on threads, kernels, how tokens are cut into calls and chunks, or on what else is in
/// the batch. Evaluations take turns: one runs at a time, on all of the engine's threads.
public final class Engine: Sendable {
  public let image: ModelImage
  public let options: EngineOptions
  /// The kernel set in use.
  public let kernels: String
  private let crew: Crew
  private let weights: PackedWeights
  private let pool: PagePool
  private let turn: Mutex<Turn>

  /// What only the evaluation that runs may touch.
  private struct Turn: @unchecked Sendable {
    // Sendable because it never leaves the lock.
    let program: ChunkProgram
  }

  /// Packs the weights, which takes about as long as reading them.
  ///
  /// - Throws: ``EngineFailure`` with what to do about it.
  public init(image: ModelImage, options: EngineOptions = EngineOptions()) throws(EngineFailure) {
    guard 1...EngineOptions.threadsMax ~= options.threads else {
      throw .threadsOutOfRange(options.threads, max: EngineOptions.threadsMax)
    }
    guard 1...EngineOptions.prefillChunkMax ~= options.prefillChunk else {
      throw .prefillChunkOutOfRange(options.prefillChunk, max: EngineOptions.prefillChunkMax)
    }
    let kernels = try options.kernels.resolved()
    let crew = try Crew(threads: options.threads)
    let weights = try PackedWeights(image: image, crew: crew)
    let config = image.manifest.config
    // All positions of an encoder's sequence go through the model together.
    let rows =
      config.isEncoder
      ? max(options.prefillChunk, config.contextLength) : min(options.prefillChunk, config.contextLength)
    let plan = try Plan(image: image, weights: weights, rowsMax: rows)
    pool = PagePool(layout: PageLayout(image))
    let program = try ChunkProgram(
      plan: plan, kernels: kernels, image: image, pageLayout: pool.layout, members: options.threads)
    turn = Mutex(Turn(program: program))
    self.image = image
    self.options = options
    self.kernels = String(cString: kernels.pointee.name)
    self.crew = crew
    self.weights = weights
  }

  /// An empty sequence; it belongs to this engine.
  public func makeSequence() -> SequenceState {
    SequenceState(pool: pool, contextLength: image.manifest.config.contextLength)
  }

  /// What the keys and values of so many positions need.
  public func cacheBytes(positions: Int) -> Int { SequenceState.pages(for: positions) * pool.layout.byteCount }

  /// What sequences hold now.
  public var cacheBytesInUse: Int { pool.bytesInUse }

  /// What the packed weights take.
  public var weightBytes: Int { weights.byteCount }

  /// Receives every named value of a slice, for each name in the order of positions, on the caller's thread.
  public typealias TraceHook = (_ slice: Int, _ record: TraceRecord) -> Void

  /// Continues all sequences of the batch at once.
  ///
  /// - Returns: for each slice, the logits it wants, in the order of positions.
  /// - Throws: `EvaluationRejection` before anything has changed, or ``EngineFailure`` when memory for keys
  ///   and values runs out; sequences then end where the failure met them.
  @discardableResult
  public func evaluate(_ batch: [Slice], trace: TraceHook? = nil) throws -> [[Logits]] {
    var results = [[Logits]](repeating: [], count: batch.count)
    try evaluate(batch, trace: trace) { slice, _, row in results[slice].append(row.logits) }
    return results
  }

  /// Continues all sequences of the batch and hands over logits where they lie, without a copy.
  ///
  /// - Parameter sink: called once for each wanted position, on the caller's thread, while the engine waits.
  public func evaluate(
    _ batch: [Slice], trace: TraceHook? = nil, sink: (_ slice: Int, _ position: Int, _ logits: LogitsRow) -> Void
  ) throws {
    if image.manifest.config.isEncoder { throw EvaluationRejection.encodesOnly }
    for slice in batch {
      precondition(slice.sequence.belongs(to: pool), "a sequence belongs to the engine that made it")
      try check(slice.tokens, after: slice.sequence.count)
    }
    for slice in batch { slice.sequence.acquire() }
    defer { for slice in batch { slice.sequence.release() } }
    try withoutActuallyEscaping(sink) { sink in
      try withProgram(trace) { program in
        program.logitsSink = sink
        try run(batch, program)
      }
    }
  }

  /// The program, for one evaluation. What a caller wants to hear of it is forgotten afterwards.
  private func withProgram(_ trace: TraceHook?, _ body: (ChunkProgram) throws -> Void) throws {
    try turn.withLock { turn in
      let program = turn.program
      program.trace = trace
      defer {
        program.trace = nil
        program.logitsSink = nil
        program.residualSink = nil
      }
      try body(program)
    }
  }

  /// Where the time of the evaluations in `body` goes. Others' evaluations meanwhile count, too.
  public func profile(_ body: () throws -> Void) rethrows -> StepProfile {
    let clock = turn.withLock { turn in
      let clock = StepClock(turn.program.plan)
      turn.program.clock = clock
      return Clock(clock: clock)
    }
    defer { turn.withLock { $0.program.clock = nil } }
    try body()
    return clock.clock.profile
  }

  /// Only the evaluation that runs writes to it, and `profile` reads it when none does.
  private struct Clock: @unchecked Sendable { let clock: StepClock }

  /// Runs something else on the engine's threads, between two evaluations.
  func share(_ program: any CrewProgram, alone: Bool) { turn.withLock { _ in crew.run(program, alone: alone) } }

  private func check(_ tokens: [Int32], after count: Int) throws(EvaluationRejection) {
    let config = image.manifest.config
    for (i, token) in tokens.enumerated() where token < 0 || Int(token) >= config.vocabularySize {
      throw .tokenOutsideVocabulary(token, index: i, vocabularySize: config.vocabularySize)
    }
    guard tokens.count <= config.contextLength - count else {
      throw .contextExceeded(positions: count + tokens.count, contextLength: config.contextLength)
    }
  }

  /// Cuts the batch into chunks and runs them.
  private func run(_ batch: [Slice], _ program: ChunkProgram) throws(EngineFailure) {
    program.chunk.removeAll()
    for (index, slice) in batch.enumerated() {
      let start = slice.sequence.count
      var done = 0
      while done < slice.tokens.count {
        let count = min(slice.tokens.count - done, program.plan.rowsMax - program.chunk.rows)
        let pages = try slice.sequence.reserve(positions: start + done + count)
        program.chunk.append(
          slice: index, tokens: slice.tokens[done..<(done + count)], pages: pages, firstPosition: start + done,
          wanted: Engine.wanted(slice, done..<(done + count)))
        done += count
        if program.chunk.rows == program.plan.rowsMax { try run(program) { batch[$0].sequence } }
      }
    }
    if program.chunk.rows > 0 { try run(program) { batch[$0].sequence } }
  }

  /// Runs the chunk and empties it.
  private func run(_ program: ChunkProgram, sequence: (_ slice: Int) -> SequenceState) throws(EngineFailure) {
    try program.prepareScratch()
    // Handing work to other threads costs time, too.
    crew.run(program, alone: program.multiplications < options.multiplicationsToShare)
    for run in program.chunk.runs { sequence(run.slice).advance(by: run.rows) }
    program.chunk.removeAll()
  }

  /// The rows, counted from the part's own start, whose logits the slice wants.
  private static func wanted(_ slice: Slice, _ part: Range<Int>) -> Range<Int> {
    switch slice.logits {
    case .none: 0..<0
    case .last: part.upperBound == slice.tokens.count ? (part.count - 1)..<part.count : 0..<0
    case .all: 0..<part.count
    }
  }

  // MARK: Encoders

  /// Receives the last residual of every position, valid during the call, on the caller's thread.
  public typealias ResidualHook = (_ sequence: Int, _ position: Int, _ residual: UnsafeBufferPointer<Int64>) -> Void

  /// Takes whole sequences through an encoder. What one gives does not depend on the others.
  ///
  /// - Throws: `EvaluationRejection` before anything is computed, also for a decoder; ``EngineFailure``.
  public func encode(_ sequences: [[Int32]], trace: TraceHook? = nil, sink: ResidualHook) throws {
    guard image.manifest.config.isEncoder else { throw EvaluationRejection.generatesOnly }
    for tokens in sequences {
      if tokens.isEmpty { throw EvaluationRejection.noTokens }
      try check(tokens, after: 0)
    }
    try withoutActuallyEscaping(sink) { sink in
      try withProgram(trace) { program in
        program.residualSink = sink
        try run(sequences, program)
      }
    }
  }

  /// The embedding of each sequence, as the model pools and normalises.
  ///
  /// - Parameter dimensions: elements of each vector, 1 to the hidden size; nil for all.
  public func embeddings(of sequences: [[Int32]], dimensions: Int? = nil) throws -> [EmbeddingVector] {
    let config = image.manifest.config
    var residuals = [[Residual]](repeating: [], count: sequences.count)
    try encode(sequences) { sequence, _, residual in
      residuals[sequence].append(Residual(residual.map { Int($0) }))
    }
    guard let pooling = config.pooling else { throw EvaluationRejection.generatesOnly }
    return residuals.map {
      Embedding.vector(
        $0, pooling: pooling, normalised: config.normalised, dimensions: dimensions ?? config.hiddenSize,
        fractionBits: config.residualFractionBits)
    }
  }

  /// As many whole sequences at a time as fit a chunk; keys and values live that long.
  private func run(_ sequences: [[Int32]], _ program: ChunkProgram) throws(EngineFailure) {
    program.chunk.removeAll()
    var states: [Int: SequenceState] = [:]
    for (index, tokens) in sequences.enumerated() {
      if program.chunk.rows > 0 && program.chunk.rows + tokens.count > options.prefillChunk {
        try run(program) { states[$0]! }
        states = [:]
      }
      let state = makeSequence()
      states[index] = state
      program.chunk.append(
        slice: index, tokens: tokens[...], pages: try state.reserve(positions: tokens.count), firstPosition: 0,
        wanted: 0..<0)
    }
    if program.chunk.rows > 0 { try run(program) { states[$0]! } }
  }
}
