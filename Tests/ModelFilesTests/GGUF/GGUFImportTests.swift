import Digests
import ModelFiles
import ModelGraph
import Testing

@Suite struct GGUFImportTests {
  private func convert(_ path: String, threads: Int = 1) throws -> (manifest: ModelManifest, weights: [UInt8]) {
    var weights: [UInt8] = []
    let manifest = try HuggingFaceImporter(directory: path, options: ImportOptions(threads: threads))
      .convert { weights += $0 }
    return (manifest, weights)
  }

  private func write(_ builder: GGUFBuilder) -> String { TemporaryFolder().write(builder.bytes(), "f.gguf") }

  private func rejection(_ builder: GGUFBuilder) throws -> GGUFRejection? {
    do {
      _ = try convert(write(builder))
      return nil
    } catch let error as GGUFRejection {
      return error
    }
  }

  /// The same model as a directory, as GGUF of both versions and in parts.
  @Test func weightsDoNotDependOnTheFormat() throws {
    let plain = try convert(Fixtures.path("tiny-llama"))
    let folder = TemporaryFolder()
    var second = Fixtures.bytes("gguf/tiny-llama.gguf")
    second[4] = 2
    for path in [
      Fixtures.path("gguf/tiny-llama.gguf"), folder.write(second, "second.gguf"),
      Fixtures.path("gguf/tiny-llama-00001-of-00003.gguf"), Fixtures.path("gguf/tiny-llama-00003-of-00003.gguf"),
    ] {
      let (manifest, weights) = try convert(path, threads: 2)
      #expect(weights == plain.weights, "\(path)")
      #expect(manifest.blobs.weights == plain.manifest.blobs.weights)
      #expect(manifest.config == plain.manifest.config && manifest.tensors == plain.manifest.tensors)
      #expect(manifest.ropeFrequencies == plain.manifest.ropeFrequencies)
      #expect(manifest.tokens == ModelManifest.SpecialTokens(endOfSequence: [0, 2], beginOfSequence: 1))
      #expect(manifest.blobs.chatTemplate == plain.manifest.blobs.chatTemplate)
      #expect(manifest.source.format == "gguf")
      #expect(manifest.source.files.count == (path.contains("-of-") ? 3 : 1))
      #expect(manifest.source.files.allSatisfy { $0.name.hasSuffix(".gguf") })
      _ = try ModelImage(
        manifest: ModelManifest(bytes: manifest.canonicalBytes), weights: ModelBytes(copying: weights))
    }
  }

  /// One layer in each format; values as PyPI's gguf dequantises them, rows as transformers orders them.
  @Test func everyFormatIsRead() throws {
    let parts = try GGUFParts(path: Fixtures.path("gguf/formats.gguf"))
    let tensors = try GGUFTranslation(parts, vocabulary: GGUFVocabulary.source(parts.metadata)).tensors
    let digests = try #require(JSON.parse(Fixtures.bytes("gguf/formats.json")).object)
    #expect(Set(digests.keys) == Set(tensors.map(\.name)))
    for tensor in tensors {
      var digest = StreamingDigest<GGUFFile>()
      var row = [Float](repeating: 0, count: tensor.columns)
      for r in 0..<tensor.rowCount {
        row.withUnsafeMutableBufferPointer { tensor.readRow(r, into: $0) }
        row.withUnsafeBytes { digest.update($0) }
      }
      #expect(digests[tensor.name]?.string == digest.finalized().hex, "\(tensor.name), \(tensor.format)")
    }
    let formats = Set(tensors.map(\.format))
    #expect(formats.count == 11)
    let (manifest, weights) = try convert(Fixtures.path("gguf/formats.gguf"), threads: 3)
    _ = try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  @Test func theBuilderMakesTheSameModel() throws {
    for directory in [ModelDirectory(), ModelDirectory(hidden: 24, intermediate: 50, tied: false, seed: 3)] {
      let (plain, gguf) = (try convert(directory.write().path), try convert(write(GGUFBuilder(directory))))
      #expect(plain.weights == gguf.weights && plain.manifest.config == gguf.manifest.config)
    }
  }

  @Test func storesAndPacksTakeIt() throws {
    let folder = TemporaryFolder()
    let path = Fixtures.path("gguf/tiny-llama.gguf")
    let store = ModelStore(root: folder.path + "/store")
    let digest = try store.importModel(directory: path, as: ModelName("tiny"))
    #expect(try store.open("tiny").digest == digest)
    let manifest = try Pack.importPack(directory: path, to: folder.path + "/m.pack")
    #expect(manifest.digest == digest)
    #expect(try Pack.load(path: folder.path + "/m.pack").manifest == manifest)
  }

  // MARK: Refusals

  @Test(
    arguments: [
      ("general.architecture", nil, "general.architecture is missing"),
      ("general.architecture", .string("mamba"), "architecture \"mamba\" is not supported (supported: llama, qwen2"),
      ("general.architecture", .u32(1), "\"general.architecture\" is not a string"),
      ("llama.embedding_length", nil, "llama.embedding_length is missing"),
      ("llama.block_count", nil, "llama.block_count is missing"),
      ("llama.block_count", .u32(5000), "llama.block_count is 5000"),
      ("llama.attention.head_count", nil, "llama.attention.head_count is missing"),
      ("llama.attention.head_count", .u64(1 << 40), "llama.attention.head_count is 1099511627776"),
      ("llama.attention.head_count", .integers([2, 3]), "different from layer to layer"),
      ("llama.attention.head_count", .u32(3), "has shape [16, 16]; heads and head dimension make it 24 rows"),
      ("llama.attention.value_length", .u32(4), "llama.attention.value_length is 4"),
      ("llama.context_length", nil, "llama.context_length is missing"),
      ("llama.context_length", .f32(2), "\"llama.context_length\" is not a natural number"),
      ("llama.feed_forward_length", nil, "llama.feed_forward_length is missing"),
      ("llama.attention.layer_norm_rms_epsilon", nil, "layer_norm_rms_epsilon is missing"),
      ("llama.attention.layer_norm_rms_epsilon", .f32(.nan), "is not a finite number"),
      ("llama.attention.causal", .bool(0), "llama.attention.causal is false"),
      ("llama.rope.dimension_count", .u32(9), "llama.rope.dimension_count is 9"),
      ("llama.rope.dimension_count", .u32(0), "llama.rope.dimension_count is 0"),
      ("llama.rope.scaling.type", .string("ntk"), "llama.rope.scaling.type is \"ntk\""),
      ("llama.rope.scaling.type", .string("longrope"), "rope_factors_short.weight is missing"),
      ("llama.rope.scaling.type", .string("yarn"), "llama.rope.scaling.factor is missing"),
      ("llama.logit_scale", .f32(2), "\"llama.logit_scale\" is not known"),
      ("llama.attention.clamp_kqv", .f32(2), "\"llama.attention.clamp_kqv\" is not known"),
      ("llama.expert_count", .u32(8), "llama.expert_used_count is missing"),
      ("tokenizer.ggml.model", nil, "tokenizer.ggml.model is missing"),
      ("tokenizer.ggml.tokens", nil, "tokenizer.ggml.tokens is missing"),
      ("tokenizer.ggml.tokens", .integers([1]), "\"tokenizer.ggml.tokens\" is not an array of strings"),
      ("tokenizer.ggml.tokens", .strings((0..<33).map { "\($0)" }), "a list of 33"),
      ("tokenizer.ggml.token_type", .strings([]), "\"tokenizer.ggml.token_type\" is not an array of natural numbers"),
      ("tokenizer.ggml.scores", .integers([]), "32-bit floating-point numbers"),
      ("tokenizer.ggml.add_bos_token", .u8(1), "\"tokenizer.ggml.add_bos_token\" is not true or false"),
      ("tokenizer.ggml.bos_token_id", .i32(-1), "\"tokenizer.ggml.bos_token_id\" is not a natural number"),
      ("tokenizer.chat_template", .bytes([0xFF]), "\"tokenizer.chat_template\" is not valid UTF-8"),
      (
        "tokenizer.chat_template", .bytes([UInt8](repeating: 0x20, count: (1 << 20) + 1)),
        "bytes of tokenizer.chat_template"
      ),
    ] as [(String, GGUFBuilder.Value?, String)])
  func metadata(_ key: String, _ value: GGUFBuilder.Value?, _ words: String) throws {
    var b = GGUFBuilder()
    b.set(key, value)
    let found = try #require(try rejection(b), "\(key) was accepted")
    #expect("\(found)".contains(words), "\(found)")
  }

  @Test func tensors() throws {
    var b = GGUFBuilder()
    b.tensor("output_norm.weight") { $0.name = "output_norm.scale" }
    #expect(
      try rejection(b) == .unknownTensor(file: "f.gguf", tensor: "output_norm.scale", architecture: "llama"))
    for name in [
      "blk.2.attn_norm.weight", "blk.00.attn_norm.weight", "blk.0.ffn_gate_exps.weight", "blk..a.weight", "",
    ] {
      b = GGUFBuilder()
      b.tensor("blk.0.attn_norm.weight") { $0.name = name }
      #expect(try rejection(b) == .unknownTensor(file: "f.gguf", tensor: name, architecture: "llama"))
    }
    b = GGUFBuilder()
    b.tensor("token_embd.weight") { $0.name = "output.weight" }
    #expect(try rejection(b) == .missing(file: "f.gguf", key: "tensor token_embd.weight"))
    b = GGUFBuilder()
    b.tensors.removeAll { $0.name == "blk.1.ffn_up.weight" }
    #expect(throws: ImportRejection.missingTensor("model.layers.1.mlp.up_proj.weight", file: "f.gguf")) {
      try convert(write(b))
    }
    b = GGUFBuilder()
    b.tensor("blk.1.ffn_up.weight") { $0.data.replaceSubrange(40..<44, with: Float.nan.bitPattern.littleEndianBytes) }
    #expect(
      throws: ImportRejection.notFinite(tensor: "model.layers.1.mlp.up_proj.weight", element: 10, file: "f.gguf")
    ) { try convert(write(b)) }
    for factors in [[Float](repeating: 1, count: 3), [1, 2, 0, 4], [1, 2, .infinity, 4]] {
      b = GGUFBuilder()
      b.tensors.append(
        .init(
          name: "rope_freqs.weight", extents: [UInt64(factors.count)], type: 0,
          data: (factors.map { $0 == 1 ? $0 + 1 : $0 }).flatMap(\.bitPattern.littleEndianBytes)))
      let message = "\(try #require(try rejection(b)))"
      #expect(message.contains("\"rope_freqs.weight\" is not 4 positive numbers"), "\(message)")
    }
  }

  @Test func theEndsOfAnAnswer() throws {
    var b = GGUFBuilder()
    b.set("tokenizer.ggml.tokens", .strings(["<|eot_id|>", "</s>", "<|im_end|>", "<|end|>", "x"]))
    b.set("tokenizer.ggml.token_type", .integers([3, 3, 4, 1, 3]))
    b.set("tokenizer.ggml.eos_token_id", .u32(1))
    b.set("tokenizer.ggml.eot_token_id", .u32(4))
    // Ordinary text that looks like one ends nothing; the named one comes first.
    #expect(try convert(write(b)).manifest.tokens.endOfSequence == [1, 0, 2, 4])
    b.set("tokenizer.ggml.bos_token_id", .u32(.max))
    #expect(try convert(write(b)).manifest.tokens.beginOfSequence == nil)
  }

  // MARK: Parts

  private let names = (1...3).map { "tiny-llama-0000\($0)-of-00003.gguf" }

  private func parts(_ change: (TemporaryFolder) -> Void) throws -> String? {
    let folder = TemporaryFolder()
    for name in names { folder.write(Fixtures.bytes("gguf/" + name), name) }
    change(folder)
    do {
      _ = try convert(folder.path + "/" + names[0])
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func partsMustBelongTogether() throws {
    #expect(try parts { _ in } == nil)
    let swapped = try #require(try parts { $0.write(Fixtures.bytes("gguf/" + names[2]), names[1]) })
    #expect(swapped.contains("as part 2 of 3 it should state split.no 1") && swapped.contains("it states 2 and 3"))
    let whole = try #require(try parts { $0.write(Fixtures.bytes("gguf/tiny-llama.gguf"), names[1]) })
    #expect(whole.contains("it states nothing and nothing"))
    let folder = TemporaryFolder()
    folder.write(Fixtures.bytes("gguf/" + names[0]), names[0])
    #expect(
      throws: ImportRejection.missingFile(
        folder.path + "/" + names[1], hint: "it is a part of the model; download it")
    ) { try convert(folder.path + "/" + names[0]) }
    folder.write(Fixtures.bytes("gguf/" + names[0]), "renamed.gguf")
    let renamed = #expect(throws: GGUFRejection.self) { try convert(folder.path + "/renamed.gguf") }
    #expect("\(try #require(renamed))".contains("does not end in -00001-of-00003.gguf"))
    var short = GGUFBuilder()
    short.values = [("split.no", .u16(1)), ("split.count", .u16(3))]
    short.tensors = []
    let lost = try #require(try parts { $0.write(short.bytes(), names[1]) })
    #expect(lost.contains("the model has 12 tensors, but its parts have 7"))
    var twice = GGUFBuilder()
    twice.values = [("split.no", .u16(1)), ("split.count", .u16(3))]
    twice.tensors = (0..<5).map {
      .init(name: $0 == 0 ? "token_embd.weight" : "blk.0.x\($0).weight", extents: [1], type: 0, data: [0, 0, 0, 0])
    }
    #expect(
      try parts { $0.write(twice.bytes(), names[1]) }
        == "\(GGUFRejection.duplicateTensor("token_embd.weight", files: [names[0], names[1]]))")
    var many = GGUFBuilder()
    many.set("split.count", .u32(20000))
    #expect(try rejection(many) == .tooMany(file: "f.gguf", what: "parts", count: 20000, countMax: 9999))
  }
}
