/// Whole words, looked up.
struct WordLevel: Sendable {
  let vocabulary: Vocabulary
  private let unknown: Int32

  init(vocabulary: Vocabulary, unknown: [UInt8]) throws(TokenizerError) {
    guard let id = vocabulary.id(of: unknown) else {
      throw .invalid(field: "model.unk_token", reason: "it is not in the vocabulary")
    }
    self.vocabulary = vocabulary
    self.unknown = id
  }

  func encode(_ text: [UInt8], _ range: Range<Int>, blocked: Set<Int32>, into ids: inout [Int32]) {
    let id = vocabulary.id(of: text[range]).flatMap { blocked.contains($0) ? nil : $0 }
    ids.append(id ?? unknown)
  }
}
