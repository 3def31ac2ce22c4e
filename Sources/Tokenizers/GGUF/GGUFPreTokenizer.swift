/// The pre-tokenizers that GGUF files name (`tokenizer.ggml.pre`), as the regular expressions of the
/// models' own tokenizer definitions, each applied to the pieces that the one before it made.
struct GGUFPreTokenizer {
  let patterns: [String]
  var ignoresMerges = false
  var addsBegin = false

  private static let contractions = #"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"#
  private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"#
  private static let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let llama3 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"# + tail
  private static let qwen2 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + tail
  private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
  private static let tailWithSlash = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let gpt4o =
    #"[^\r\n\p{L}\p{N}]?\#(upper)*\#(lower)+\#(contractions)?|[^\r\n\p{L}\p{N}]?\#(upper)+\#(lower)*\#(contractions)?"#
    + #"|\p{N}{1,3}"# + tailWithSlash
  private static let tekken =
    #"[^\r\n\p{L}\p{N}]?\#(upper)*\#(lower)+|[^\r\n\p{L}\p{N}]?\#(upper)+\#(lower)*|\p{N}"# + tailWithSlash
  private static let deepSeekWords =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##
    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let bloom = #" ?[^(\s|.,!?…。，、।۔،)]+"#
  private static let kimi =
    #"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"#
    + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"#
    + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"# + tail

  static func named(_ name: String) throws(TokenizerError) -> GGUFPreTokenizer {
    switch name {
    case "default":
      GGUFPreTokenizer(patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"])
    case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2":
      GGUFPreTokenizer(patterns: [llama3], ignoresMerges: true, addsBegin: true)
    case "dbrx", "smaug-bpe", "chatglm-bpe", "glm4": GGUFPreTokenizer(patterns: [llama3])
    case "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat", "mpt", "olmo", "jais",
      "trillion", "granite-docling", "exaone4", "a.x-4.0", "mellum", "modern-bert":
      GGUFPreTokenizer(patterns: [gpt2])
    case "qwen2", "deepseek-r1-qwen", "megrez", "stablelm2", "hunyuan", "grok-2":
      GGUFPreTokenizer(patterns: [qwen2])
    case "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b":
      GGUFPreTokenizer(patterns: [#"\p{N}"#, gpt2])
    case "falcon": GGUFPreTokenizer(patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"])
    case "deepseek-v3", "hunyuan-dense":
      GGUFPreTokenizer(patterns: [#"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+", deepSeekWords])
    case "deepseek-coder":
      GGUFPreTokenizer(patterns: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-\u{D7FF}]+", #"\p{N}"#])
    case "tekken": GGUFPreTokenizer(patterns: [tekken], ignoresMerges: true, addsBegin: true)
    case "gpt-4o", "llama4", "minimax-m2": GGUFPreTokenizer(patterns: [gpt4o])
    case "kimi-k2": GGUFPreTokenizer(patterns: [kimi])
    case "bloom", "gpt3-finnish", "poro-chat": GGUFPreTokenizer(patterns: [bloom])
    case "viking": GGUFPreTokenizer(patterns: [bloom, #"\p{N}"#])
    case "superbpe": GGUFPreTokenizer(patterns: [#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#])
    case "bailingmoe", "bailingmoe2", "llada-moe":
      GGUFPreTokenizer(patterns: [
        #"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
          + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
      ])
    case "seed-coder":
      GGUFPreTokenizer(patterns: [
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#
      ])
    default: throw .unsupported("the GGUF pre-tokenizer \"\(name)\"")
    }
  }
}
