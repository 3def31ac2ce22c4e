import Digests
import Inference
import ModelFiles
import ModelGraph
import Testing
import Tokenizers

/// Every way to run the trained model gives the same tokens and the same intermediate tensors:
/// {reference, every kernel set} × {1, 2, 4 threads} × {chunk 1, 7, 64, all} × {alone, batched}.
///
/// The reference runs once per prompt, every engine runs every prompt. `EVIDENT_TEST_PACK` names another model.
@Suite struct EqualityMatrixTests {
  static let outputTokens = 10

  struct Setting: Hashable, CustomStringConvertible {
    let threads: Int
    let chunk: Int
    var description: String { "\(threads) threads, chunk \(chunk)" }

    static let all = [1, 2, 4].flatMap { threads in
      [1, 7, 64, EngineOptions.prefillChunkMax].map { Setting(threads: threads, chunk: $0) }
    }
  }

  @Test func everyWayGivesTheSame() throws {
    let model = try environment("EVIDENT_TEST_PACK").map { try Pack.load(path: $0) } ?? EmbeddedModel.load()
    let tokenizer = try Tokenizer(modelFile: model.tokenizer)
    let answers = try MatrixPrompts.all.enumerated().map { index, text in
      try TracedAnswer.reference(
        model, prompt: tokenizer.encode(text, addSpecialTokens: true), index: index, outputTokens: Self.outputTokens)
    }
    #expect(answers.count >= 50)
    #expect(Set(answers.map(\.output)).count > answers.count / 2, "the prompts lead to different answers")
    for kernels in KernelChoice.available {
      for setting in Setting.all {
        let engine = try Engine(
          image: model.image,
          options: EngineOptions.sharing(
            threads: setting.threads, kernels: .named(kernels), prefillChunk: setting.chunk))
        for wanted in answers {
          #expect(
            try wanted.repeated(on: engine) == [wanted], "\(kernels), \(setting), alone: prompt \(wanted.index)")
        }
        #expect(try TracedAnswer.together(answers, on: engine) == answers, "\(kernels), \(setting), batched")
      }
    }
  }
}

/// An answer and the digests of every tensor on the way to it.
struct TracedAnswer: Equatable, Sendable {
  let index: Int
  let prompt: [Int32]
  let parameters: SamplingParameters
  let streamKey: StreamKey
  var output: [Int32] = []
  var digests: [String: Digest<Value>] = [:]

  init(_ digest: Digest<ModelManifest>, prompt: [Int32], index: Int) throws {
    self.index = index
    self.prompt = prompt
    // Every third answer is greedy, the others are drawn.
    parameters = try SamplingParameters(
      temperatureMicros: index % 3 == 0 ? 0 : 600_000 + index * 10_000, topK: index % 3 == 1 ? 40 : 0,
      topPMicros: index % 2 == 0 ? 950_000 : 1_000_000, seed: UInt64(index), maxTokens: 64)
    streamKey = StreamKey(model: digest, inputTokens: prompt, parameters: parameters, nonce: [7])
  }

  static func reference(_ model: LoadedModel, prompt: [Int32], index: Int, outputTokens: Int) throws -> TracedAnswer {
    var answer = try TracedAnswer(model.digest, prompt: prompt, index: index)
    let sampler = Sampler(parameters: answer.parameters, streamKey: answer.streamKey)
    let interpreter = ReferenceInterpreter(image: model.image)
    var state = interpreter.makeState()
    var trace = TraceDigests()
    var next = prompt
    for _ in 0..<outputTokens {
      let logits = try interpreter.evaluate(next, state: &state) { trace.record($0) }
      next = [sampler.next(logits: logits[0], prompt: prompt, output: answer.output)]
      answer.output += next
    }
    answer.digests = trace.digests
    return answer
  }

  func repeated(on engine: Engine) throws -> [TracedAnswer] { try TracedAnswer.together([self], on: engine) }

  /// The same prompts again, all of them in each step.
  static func together(_ wanted: [TracedAnswer], on engine: Engine) throws -> [TracedAnswer] {
    var answers = wanted
    var traces = wanted.map { _ in TraceDigests() }
    let sequences = wanted.map { _ in engine.makeSequence() }
    let samplers = wanted.map { Sampler(parameters: $0.parameters, streamKey: $0.streamKey) }
    var next = wanted.map(\.prompt)
    for i in answers.indices { answers[i].output = [] }
    for _ in 0..<(wanted.first?.output.count ?? 0) {
      let batch = zip(sequences, next).map { Slice(sequence: $0, tokens: $1) }
      let logits = try engine.evaluate(batch) { traces[$0].record($1) }
      for i in answers.indices {
        next[i] = [samplers[i].next(logits: logits[i][0], prompt: answers[i].prompt, output: answers[i].output)]
        answers[i].output += next[i]
      }
    }
    for i in answers.indices { answers[i].digests = traces[i].digests }
    return answers
  }
}

enum MatrixPrompts {
  static let all = [
    "What is Evident?", "Who are you?", "Hello!", "How do I run it?", "What does PASS mean?",
    "What does a SKIP mean in the verdict?", "How do I verify an evidence file?", "Is the answer true?",
    "Can I trust the node?", "What is replay?", "Why integers instead of floating point?", "What is a receipt?",
    "What is an opening?", "Tell me about the levels.", "Which models can I import?", "Does the server see my prompt?",
    "How do I call it with curl?", "What is the default port?", "Where are the keys kept?", "What is a nonce for?",
    "Who chooses the seed?", "What is in a statement?", "Does it need the network to verify?", "What can it not do?",
    "How large is this model?", "Who trained you?", "What's the weather like today?", "Write a poem about the sea.",
    "2 + 2", "Thank you very much.", "Good morning", "a", "The quick brown fox jumps over the lazy dog.",
    "Explain the difference between signed and replayed.", "What happens if someone changes one byte of the model?",
    "Why should anyone verify the answer of a language model at all, when it may still be wrong?",
    "evident verify --json",
    "POST /v1/chat/completions", "Is there a GPU version?", "How are weights stored?", "ÄÖÜ ß é ñ", "你好，世界",
    "What is top-p?", "Does batching change the result?", "Does the number of threads change the answer?",
    "What is DSSE?", "How long does the server keep my request?", "What does refuted mean?", "Bye!", "???",
    "List three things that a verdict does not say.", "My evidence file says FAIL. What now?", "42",
    "Can two machines disagree?", "What is the licence?", "How do I build a static binary?",
    "In one sentence: what is the one idea behind all this, and why does it make checking cheap for all?",
  ]
}
