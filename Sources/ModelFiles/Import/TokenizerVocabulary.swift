import Digests

/// Whether every id of a tokenizer, a tokenizer.json or a vocabulary document, has a row in the model.
enum TokenizerVocabulary {
  static func check(_ bytes: [UInt8], vocabularySize: Int) throws(ImportRejection) {
    let json: JSON
    do throws(JSONError) {
      json = try JSON.parse(bytes, bytesMax: HuggingFaceDirectory.tokenizerBytesMax)
    } catch {
      throw .json(file: "tokenizer.json", error)
    }
    func require(_ token: String, _ id: Int?) throws(ImportRejection) {
      guard let id, id >= 0 else { throw .tokenizer("token \(quoted(token)) has no id") }
      guard id < vocabularySize else { throw .vocabulary(token: token, id: id, vocabularySize: vocabularySize) }
    }
    if json["schema"] != nil {
      guard let tokens = json["tokens"]?.array else { throw .tokenizer("its vocabulary has no tokens") }
      if let last = tokens.last { try require(last.string ?? "", tokens.count - 1) }
      return
    }
    guard let model = json["model"]?.object else { throw .tokenizer("it has no model") }
    if let entries = model["vocab"]?.object {
      for (token, id) in entries.members { try require(token, id.integer) }
    } else if let pieces = model["vocab"]?.array {
      // Unigram: the position is the id.
      if let last = pieces.last { try require(last.array?.first?.string ?? "", pieces.count - 1) }
    } else {
      throw .tokenizer("its model has no vocab")
    }
    for token in json["added_tokens"]?.array ?? [] {
      try require(token["content"]?.string ?? "", token["id"]?.integer)
    }
  }
}
