/// The pre-tokenizers that GGUF files name (`tokenizer.ggml.pre`), as the regular expressions of the
/// models' own tokenizer definitions, each applied to the pieces that the one before it made.
struct GGUFPreTokenizer {
  var patterns: [String]
  var ignoresMerges = false
  var addsBegin = false
  /// Tokens are text with spaces as U+2581, as in SentencePiece, rather than bytes in the byte alphabet.
  var isSentencePieceLike = false

  private static let contractions = #"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"#
  private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"#
  private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"# + spaces
  private static let tailWithSlash = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces
  private static let word = #"[^\r\n\p{L}\p{N}]?\p{L}+"#
  private static let llama3 = contractions + "|" + word + #"|\p{N}{1,3}"# + tail
  private static let qwen2 = contractions + "|" + word + #"|\p{N}"# + tail
  private static let qwen35 =
    contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + spaces
  private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
  private static let casedWords =
    #"[^\r\n\p{L}\p{N}]?\#(upper)*\#(lower)+\#(contractions)?|[^\r\n\p{L}\p{N}]?\#(upper)+\#(lower)*\#(contractions)?"#
  private static let gpt4o = casedWords + #"|\p{N}{1,3}"# + tailWithSlash
  private static let tekken =
    #"[^\r\n\p{L}\p{N}]?\#(upper)*\#(lower)+|[^\r\n\p{L}\p{N}]?\#(upper)+\#(lower)*|\p{N}"# + tailWithSlash
  private static let eastAsian = "[一-龥぀-ゟ゠-ヿ]+"
  private static let punctuatedWords =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
  private static let deepSeekWords = punctuatedWords + #"| ?[\p{P}\p{S}]+[\r\n]*"# + spaces
  /// The letters with case, as the definition of DeepSeek LLM lists them.
  private static let casedLetters =
    "A-Za-z"
    + #"\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373\u0376"#
    + #"\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F"#
    + #"\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77"#
    + #"\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-"#
    + #"\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC"#
    + #"\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D"#
    + #"\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE"#
    + #"\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06"#
    + #"\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}"#
    + #"\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}"#
  private static let ideographs = "[一-龥ࠀ-一가-\u{D7FF}]+"
  private static let bloom = #" ?[^(\s|.,!?…。，、।۔،)]+"#
  private static let kimi =
    #"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"#
    + #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"#
    + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"# + tail
  private static let youtuScripts =
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + eastAsian
  private static let afmoeScripts =
    "["
    + #"\u4E00-\u9FFF\u3400-\u4DBF\u8C48-\uFAFF\u3040-\u309F\u30A0-\u30FF\uFF65-\uFF9F\u2F00-\u2FDF\u0E40-"#
    + #"\u0E7F\u0E80-\u0EFF\u1780-\u17FF\u1000-\u109F\uAA60-\uAA7F\uA9E0-\uA9FF\uAC00-\uD7AF\u1100-\u11FF"#
    + "]+"
  private static let lines = #"[^\n]+|[\n]+"#

  static func named(_ name: String) throws(TokenizerError) -> GGUFPreTokenizer {
    switch name {
    case "default":
      GGUFPreTokenizer(patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"])
    case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
      GGUFPreTokenizer(patterns: [llama3], ignoresMerges: true, addsBegin: true)
    case "dbrx", "smaug-bpe", "chatglm-bpe": GGUFPreTokenizer(patterns: [llama3])
    case "glm4", "glm5": GGUFPreTokenizer(patterns: [llama3], ignoresMerges: true)
    case "minicpm5":
      GGUFPreTokenizer(
        patterns: [#"\p{N}{1,3}"#, contractions + "|" + word + #"|\p{N}+"# + tail], ignoresMerges: true)
    case "jais-2":
      GGUFPreTokenizer(patterns: [
        contractions + "|" + word + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"#
          + [512, 256, 128, 64, 32, 16, 8, 4].map { #"|\s{\#($0)}(?!\S)"# }.joined() + #"|\s{1,2}(?!\S)|\s"#
      ])
    case "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code",
      "roberta-bpe", "gigachat", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "a.x-4.0", "mellum",
      "modern-bert":
      GGUFPreTokenizer(patterns: [gpt2])
    case "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "grok-2", "solar-open":
      GGUFPreTokenizer(patterns: [qwen2])
    case "qwen35": GGUFPreTokenizer(patterns: [qwen35])
    case "laguna": GGUFPreTokenizer(patterns: [lines, qwen2])
    case "ufakzeka": GGUFPreTokenizer(patterns: [word + #"|\p{N}"# + tail])
    case "exaone-moe":
      GGUFPreTokenizer(patterns: [
        contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"#
          + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
      ])
    case "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2":
      GGUFPreTokenizer(patterns: [#"\p{N}"#, gpt2])
    case "falcon": GGUFPreTokenizer(patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"])
    case "chameleon":
      GGUFPreTokenizer(
        patterns: [
          "<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", #"([\t\n]|    |  )"#, #"\p{N}"#,
          #"[\p{P}!-/:-@\[-`{-~]"#, gpt2,
        ], addsBegin: true)
    case "deepseek-llm":
      GGUFPreTokenizer(patterns: [
        #"[\r\n]"#, #"\s?[\#(casedLetters)]+"#, #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#, ideographs, #"\p{N}+"#,
      ])
    case "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4":
      GGUFPreTokenizer(patterns: [#"\p{N}{1,3}"#, eastAsian, deepSeekWords])
    case "spark2_5":
      GGUFPreTokenizer(patterns: [
        #"\p{N}{1,3}"#, eastAsian, punctuatedWords + #"| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"#, #"\p{N}"#,
      ])
    case "youtu":
      GGUFPreTokenizer(patterns: [youtuScripts, casedWords + #"|\p{N}"# + tailWithSlash], ignoresMerges: true)
    case "afmoe":
      GGUFPreTokenizer(patterns: [#"\p{Nd}{1,3}(?=(?:\p{Nd}{3})*(?!\p{Nd}))"#, afmoeScripts, deepSeekWords])
    case "deepseek-coder":
      GGUFPreTokenizer(patterns: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, ideographs, #"\p{N}"#])
    case "tekken": GGUFPreTokenizer(patterns: [tekken], ignoresMerges: true, addsBegin: true)
    case "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2": GGUFPreTokenizer(patterns: [gpt4o])
    case "granite-embed-multi-97m": GGUFPreTokenizer(patterns: [gpt4o], ignoresMerges: true)
    case "tiny_aya", "cohere2moe": GGUFPreTokenizer(patterns: [#"\d{1,3}(?=(?:\d{3})*\b)"#, gpt4o])
    case "kimi-k2": GGUFPreTokenizer(patterns: [kimi])
    case "bloom", "gpt3-finnish", "poro-chat": GGUFPreTokenizer(patterns: [bloom])
    case "viking": GGUFPreTokenizer(patterns: [bloom, #"\p{N}"#])
    case "superbpe": GGUFPreTokenizer(patterns: [#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#])
    case "bailingmoe", "bailingmoe2", "llada-moe":
      GGUFPreTokenizer(patterns: [
        #"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|"# + word + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
          + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
      ])
    case "seed-coder":
      GGUFPreTokenizer(patterns: [contractions + "|" + word + #"|\p{N}| ?[^\s\p{L}\p{N}\r\n]+"# + spaces])
    case "gemma4", "granite-embed-multi-311m":
      GGUFPreTokenizer(patterns: [lines], addsBegin: true, isSentencePieceLike: true)
    case "sarvam-moe": GGUFPreTokenizer(patterns: [lines], isSentencePieceLike: true)
    default: throw .unsupported("the GGUF pre-tokenizer \"\(name)\"")
    }
  }
}
