public import ModelGraph

/// Tokens that continue one sequence, as a part of a batch.
public struct Slice: Sendable {
  public let sequence: SequenceState
  public let tokens: [Int32]
  public let logits: LogitsWanted

  public init(sequence: SequenceState, tokens: [Int32], logits: LogitsWanted = .last) {
    self.sequence = sequence
    self.tokens = tokens
    self.logits = logits
  }
}
