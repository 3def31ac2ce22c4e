/// What the metadata of a GGUF file says about its tokenizer, under the names of the GGUF specification.
public struct VocabularySource: Sendable, Equatable {
  /// `tokenizer.ggml.model`: `gpt2`, `llama`, `bert`, `t5` or `gemma4`.
  public var model: String
  /// `tokenizer.ggml.pre`: which pre-tokenizer a `gpt2` vocabulary wants.
  public var preTokenizer: String?
  /// `tokenizer.ggml.tokens`, as bytes.
  public var tokens: [[UInt8]]
  /// `tokenizer.ggml.scores`: the bits of IEEE 754 binary32 numbers.
  public var scoreBits: [UInt32]
  /// `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var tokenTypes: [Int]
  /// `tokenizer.ggml.merges`: two tokens with a space between, first merge first.
  public var merges: [[UInt8]]
  /// `tokenizer.ggml.bos_token_id` and so on.
  public var beginID: Int?
  public var endID: Int?
  public var unknownID: Int?
  public var separatorID: Int?
  /// `tokenizer.ggml.add_bos_token` and so on; nil takes what the model kind implies.
  public var addsBegin: Bool?
  public var addsEnd: Bool?
  public var addsSeparator: Bool?
  public var addsSpacePrefix: Bool?
  /// `tokenizer.ggml.remove_extra_whitespaces`.
  public var removesExtraSpaces: Bool?
  /// `tokenizer.ggml.normalizer.lowercase` and `.strip_accents`, for `bert`.
  public var lowercases: Bool?
  public var stripsAccents: Bool?
  /// `tokenizer.ggml.precompiled_charsmap`: SentencePiece's normalization rules.
  public var characterMap: [UInt8]?

  public init(model: String, tokens: [[UInt8]]) {
    self.model = model
    self.tokens = tokens
    preTokenizer = nil
    scoreBits = []
    tokenTypes = []
    merges = []
  }
}
