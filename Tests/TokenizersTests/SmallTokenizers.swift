/// Tokenizer definitions that fit in a test.
enum SmallTokenizers {
  /// Byte-level pairs over the whole byte alphabet, with a few merges and special tokens.
  static let byteLevel: String = {
    var scalars: [UInt32] = []
    var next: UInt32 = 0x100
    for b in UInt32(0)..<256 {
      if (0x21...0x7E).contains(b) || (0xA1...0xAC).contains(b) || (0xAE...0xFF).contains(b) {
        scalars.append(b)
      } else {
        scalars.append(next)
        next += 1
      }
    }
    func quoted(_ s: String) -> String {
      "\"" + s.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
    var entries = scalars.enumerated().map { "\(quoted(String(Unicode.Scalar($0.element)!))):\($0.offset)" }
    let joined = ["he", "ll", "hell", "hello", "Ġw", "or", "Ġwor", "ld", "Ġworld"]
    for (i, token) in joined.enumerated() { entries.append("\(quoted(token)):\(256 + i)") }
    return """
      {"version":"1.0","truncation":null,"padding":null,"added_tokens":[
      {"id":300,"content":"<|begin|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
      {"id":301,"content":"<|end|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
      {"id":302,"content":"<think>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false}],
      "normalizer":{"type":"NFC"},
      "pre_tokenizer":{"type":"Sequence","pretokenizers":[
      {"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"},
      "behavior":"Isolated","invert":false},
      {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},
      "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<|begin|>","type_id":0}},
      {"Sequence":{"id":"A","type_id":0}}],"pair":[],
      "special_tokens":{"<|begin|>":{"id":"<|begin|>","ids":[300],"tokens":["<|begin|>"]}}},
      "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
      "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
      "fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{\(entries.joined(separator: ","))},
      "merges":["h e","l l",["he","ll"],"hell o","Ġ w","o r","Ġw or","l d","Ġwor ld"]}}
      """
  }()

  /// SentencePiece-like unigram pieces with byte fallback.
  static let unigram: String = {
    let bytes = (0..<256).map { b in
      let digits = String(b, radix: 16, uppercase: true)
      return "[\"<0x\(b < 16 ? "0" : "")\(digits)>\",-20.0]"
    }
    return """
      {"added_tokens":[{"id":1,"content":"<s>","special":true}],"normalizer":null,
      "pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
      "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
      {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
      "model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0.0],["<s>",0.0],["▁a",-1.5],["a",-2.5],
      ["aa",-3.0],["b",-2.25],["▁",-1.0],["ab",-4.25],\(bytes.joined(separator: ","))]}}
      """
  }()

  static let wordPiece = """
    {"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
    "lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
    "added_tokens":[{"id":0,"content":"[UNK]","special":true}],"model":{"type":"WordPiece","unk_token":"[UNK]",
    "continuing_subword_prefix":"##","max_input_chars_per_word":20,"vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"!":4,"a":5}}}
    """
}
