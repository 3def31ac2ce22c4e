import TestSupport
import Testing

import Tokenizers

/// Real vocabularies, with the ids that llama.cpp expects.
@Suite struct GGUFVocabularyTests {
  static let folder = TestFiles.shared.map { $0 + "/vectors/tokenizers" }
  /// Every vocabulary that comes with inputs.
  static let names: [String] = {
    let files = folder.flatMap { try? TestFiles.names(in: $0) } ?? []
    return files.filter { $0.hasPrefix("ggml-vocab-") && $0.hasSuffix(".gguf.inp") }
      .map { String($0.dropFirst("ggml-vocab-".count).dropLast(".gguf.inp".count)) }
  }()

  @Test(.enabled(if: folder != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"))
  func vocabulariesAreThere() { #expect(Self.names.count >= 6) }

  @Test(
    .enabled(if: folder != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"),
    arguments: names)
  func idsAreThoseOfTheVectors(_ name: String) throws {
    let path = try #require(Self.folder) + "/ggml-vocab-\(name).gguf"
    // Through the document that an imported model keeps.
    let source = try GGUFMetadata(try TestFiles.bytes(path)).vocabulary()
    let document = try source.canonicalBytes()
    let tokenizer = try Tokenizer(modelFile: document)
    #expect(try VocabularySource(document: document) == source)
    let separator = Array("\n__ggml_vocab_test__\n".utf8)
    var inputs: [[UInt8]] = [[]]
    let bytes = try TestFiles.bytes(path + ".inp")
    var at = 0
    while at < bytes.count {
      if bytes[at...].starts(with: separator) {
        inputs.append([])
        at += separator.count
      } else {
        inputs[inputs.count - 1].append(bytes[at])
        at += 1
      }
    }
    let lines = try TestFiles.bytes(path + ".out").split(separator: 0x0A, omittingEmptySubsequences: false)
    // The last input ends with the newline of the file.
    #expect(lines.count >= inputs.count - 1)
    for (input, line) in zip(inputs, lines) {
      let expected = String(decoding: line, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
      let got = tokenizer.encode(input, addSpecialTokens: false)
      #expect(got == expected, "\(String(decoding: input, as: UTF8.self).debugDescription)")
      if name != "bert-bge" {
        #expect(tokenizer.decode(got) == input, "\(String(decoding: input, as: UTF8.self).debugDescription)")
      }
    }
    print("\(name): \(min(inputs.count, lines.count)) inputs, \(tokenizer.vocabularySize) tokens")
  }
}
