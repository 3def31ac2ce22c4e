import ModelGraph

/// One answer in the making: what has been evaluated, what has been chosen, and what comes next.
///
/// The same for one caller alone and for a batch, so that both give the same tokens.
struct Answer {
  /// The prompt, then what has been chosen.
  private(set) var tokens: [Int32]
  let promptCount: Int
  let sequence: SequenceState
  /// Tokens that may be generated: the caller's limit, cut to the room in the context.
  let limit: Int
  private let endTokens: [Int32]
  private let sampler: Sampler
  private var samplerState: SamplerState

  init(
    _ engine: Engine, prompt: [Int32], parameters: SamplingParameters, streamKey: StreamKey?, endTokens: [Int32]
  ) {
    tokens = prompt
    promptCount = prompt.count
    self.endTokens = endTokens
    sequence = engine.makeSequence()
    limit = Answer.limit(engine.image, prompt: prompt, parameters)
    sampler = Sampler(parameters: parameters, streamKey: streamKey)
    samplerState = SamplerState(prompt: prompt)
  }

  /// Everything but the state of a queue.
  static func check(
    _ image: ModelImage, prompt: [Int32], parameters: SamplingParameters, streamKey: StreamKey?
  ) throws(GenerationRejection) {
    let config = image.manifest.config
    if prompt.isEmpty { throw .emptyPrompt }
    for (i, token) in prompt.enumerated() where token < 0 || Int(token) >= config.vocabularySize {
      throw .tokenOutsideVocabulary(token, index: i, vocabularySize: config.vocabularySize)
    }
    if prompt.count >= config.contextLength {
      throw .promptTooLong(tokens: prompt.count, contextLength: config.contextLength)
    }
    if parameters.temperatureMicros > 0 && streamKey == nil { throw .missingStreamKey }
  }

  static func limit(_ image: ModelImage, prompt: [Int32], _ parameters: SamplingParameters) -> Int {
    min(parameters.maxTokens, image.manifest.config.contextLength - prompt.count)
  }

  /// Tokens that have been chosen.
  var outputCount: Int { tokens.count - promptCount }

  /// Prompt tokens that have not been evaluated.
  var promptLeft: Int { max(0, promptCount - sequence.count) }

  /// Tokens that a draft may have: after it one more is chosen.
  var draftRoom: Int { limit - outputCount - 1 }

  /// What to evaluate next: at most `rows` tokens of the prompt, or the token chosen last and a draft of those
  /// to come.
  func nextSlice(rows: Int, draft: [Int32] = []) -> Slice {
    let done = sequence.count
    let end = done + min(rows, max(1, promptLeft))
    let wanted: LogitsWanted = !draft.isEmpty ? .all : end == tokens.count ? .last : .none
    return Slice(sequence: sequence, tokens: tokens[done..<end] + draft, logits: wanted)
  }

  /// Chooses the next token.
  ///
  /// - Returns: the token, and why it is the last one if it is.
  mutating func choose(_ logits: Logits) -> (token: Int32, finish: FinishReason?) {
    let token = sampler.next(logits: logits, state: samplerState)
    samplerState.append(token)
    tokens.append(token)
    if endTokens.contains(token) { return (token, .stop) }
    return (token, outputCount == limit ? .length : nil)
  }

  /// Chooses as many tokens as a draft was right for, and the next one, each as without a draft; forgets what
  /// was evaluated of the rest.
  ///
  /// - Parameter rows: logits after the token chosen last, and after each of the draft.
  /// - Returns: the tokens, and why the last of them is the last of all if it is.
  mutating func choose(_ rows: ArraySlice<Logits>, draft: [Int32]) -> (tokens: [Int32], finish: FinishReason?) {
    let evaluated = sequence.count - draft.count
    var chosen: [Int32] = []
    for (index, logits) in rows.enumerated() {
      let (token, finish) = choose(logits)
      chosen.append(token)
      if index == draft.count { return (chosen, finish) }
      if finish != nil || token != draft[index] {
        sequence.truncate(to: evaluated + index)
        return (chosen, finish)
      }
    }
    preconditionFailure("there are logits after every token of a draft")
  }
}
