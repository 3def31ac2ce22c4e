import Digests
import ModelFiles
import ModelGraph
import Testing

@Suite struct ImporterTests {
  /// The manifest and the weights blob that a directory converts to.
  private func convert(_ path: String, threads: Int = 1) throws -> (manifest: ModelManifest, weights: [UInt8]) {
    var weights: [UInt8] = []
    let manifest = try HuggingFaceImporter(directory: path, options: ImportOptions(threads: threads))
      .convert { weights += $0 }
    return (manifest, weights)
  }

  /// The independent importer of the Python reference makes the same manifest of this fixture.
  @Test func goldenDigest() throws {
    let (manifest, weights) = try convert(Fixtures.path("tiny-llama"))
    #expect(manifest.digest.hex == "a3a3a15e29b6ae0c22e2981fc2786bc9bf4e7baf09aaa3bbc9a3ccc19748a915")
    #expect(manifest.blobs.weights.digest == Digest(of: weights))
    #expect(manifest.tokens == ModelManifest.SpecialTokens(endOfSequence: [2, 0], beginOfSequence: 1))
    #expect(
      manifest.source.files.map(\.name) == [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
      ])
    #expect(manifest.config.normEpsilon == 87_960_930)
    _ = try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  @Test(arguments: [true, false])
  func threadsDoNotMatter(_ tied: Bool) throws {
    let folder = ModelDirectory(hidden: 24, intermediate: 50, tied: tied).write()
    let one = try convert(folder.path)
    for threads in [1, 2, 4, 7, 64] {
      let other = try convert(folder.path, threads: threads)
      #expect(other.manifest == one.manifest && other.weights == one.weights)
    }
  }

  @Test func formatAndShardsChangeOnlyTheSource() throws {
    var directory = ModelDirectory(tied: false)
    let plain = try convert(directory.write().path)
    for (format, shards) in [(ModelDirectory.Format.f32, 3), (.bf16, 0), (.bf16, 2), (.f16, 0), (.f16, 5)] {
      directory.format = format
      directory.shards = shards
      var (manifest, weights) = try convert(directory.write().path, threads: 2)
      #expect(weights == plain.weights, "\(format) \(shards)")
      #expect(manifest.source != plain.manifest.source)
      #expect(manifest.source.files.count == plain.manifest.source.files.count + shards)
      manifest.source = plain.manifest.source
      #expect(manifest == plain.manifest, "\(format) \(shards)")
    }
  }

  @Test func tiedHeadsMayBeStoredUnderEitherName() throws {
    var directory = ModelDirectory()
    let usual = try convert(directory.write().path)
    let embedding = directory.tensors[0]
    var head = embedding
    head.name = "lm_head.weight"
    directory.tensors[0] = head
    #expect(try convert(directory.write().path).weights == usual.weights)
    directory.tensors.append(embedding)
    #expect(try convert(directory.write().path).weights == usual.weights)
    directory.tensors[0].values[3] += 1
    #expect(throws: ImportRejection.untied("lm_head.weight")) { try convert(directory.write().path) }
  }

  @Test func templatesAreFoundWhereTheyMayBe() throws {
    func template(_ directory: ModelDirectory, jinja: String? = nil) throws -> String? {
      let folder = directory.write()
      if let jinja { folder.write(Array(jinja.utf8), "chat_template.jinja") }
      return try HuggingFaceImporter(directory: folder.path).chatTemplate.map { String(decoding: $0, as: UTF8.self) }
    }
    var directory = ModelDirectory()
    #expect(try template(directory) == "{{ messages }}")
    #expect(try template(directory, jinja: "{{ 1 }}\n") == "{{ 1 }}\n")
    directory.tokenizerConfig = [
      "chat_template": [["name": "tools", "template": "t"], ["name": "default", "template": "d"]]
    ]
    #expect(try template(directory) == "d")
    directory.tokenizerConfig = ["chat_template": .null]
    #expect(try template(directory) == nil)
    directory.tokenizerConfig = nil
    #expect(try template(directory) == nil)
    directory.tokenizerConfig = ["chat_template": 7]
    #expect(throws: ImportRejection.self) { try template(directory) }
  }

  @Test func tokensFallBackToTheConfiguration() throws {
    var directory = ModelDirectory()
    directory.generation = ["eos_token_id": .null, "bos_token_id": 3]
    var tokens = try convert(directory.write().path).manifest.tokens
    #expect(tokens == ModelManifest.SpecialTokens(endOfSequence: [2], beginOfSequence: 3))
    directory.generation = nil
    directory.set("bos_token_id", nil)
    directory.set("eos_token_id", [5, 6])
    tokens = try convert(directory.write().path).manifest.tokens
    #expect(tokens == ModelManifest.SpecialTokens(endOfSequence: [5, 6], beginOfSequence: nil))
  }

  @Test func optionalKeysHaveTheirDefaults() throws {
    var directory = ModelDirectory(heads: 2, keyValueHeads: 2, headDimension: 8)
    let explicit = try convert(directory.write().path).manifest
    for key in ["head_dim", "num_key_value_heads", "rope_theta", "hidden_act", "rope_scaling"] {
      directory.set(key, nil)
    }
    #expect(try convert(directory.write().path).manifest.config == explicit.config)
    directory.set("rope_parameters", ["rope_type": "default", "rope_theta": 10000])
    #expect(try convert(directory.write().path).manifest.ropeFrequencies == explicit.ropeFrequencies)
    directory.set("rope_parameters", ["rope_type": "default", "rope_theta": 500000])
    #expect(try convert(directory.write().path).manifest.ropeFrequencies != explicit.ropeFrequencies)
  }

  @Test func progressEndsAtTheTotal() throws {
    let folder = ModelDirectory().write()
    nonisolated(unsafe) var seen: [ImportProgress] = []
    let options = ImportOptions(threads: 2, progress: { seen.append($0) })
    _ = try HuggingFaceImporter(directory: folder.path, options: options).convert { _ in }
    #expect(seen.map(\.bytesDone) == seen.map(\.bytesDone).sorted())
    #expect(seen.last?.bytesDone == seen.last?.bytesTotal && seen.count > 20)
  }
}
