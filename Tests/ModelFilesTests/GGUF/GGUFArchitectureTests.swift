import Digests
import ModelFiles
import ModelGraph
import Testing

/// Models of every family as transformers saves them and as llama.cpp's converter writes them
/// (Reference/gguf/make_architectures.py): both must say the same.
@Suite struct GGUFArchitectureTests {
  static let names = [
    "bert-cls", "bert-mean", "gemma2", "gemma3", "llama", "llama-biases", "llama-divisors", "mistral", "mixtral",
    "phi3",
    "phi3-longrope", "qwen2", "qwen3", "qwen3moe", "smollm3",
  ]

  private func folder(_ name: String) -> String { Fixtures.path("gguf/architectures/\(name)") }

  private func translation(_ name: String) throws -> GGUFTranslation {
    let parts = try GGUFParts(path: folder(name) + "/model.gguf")
    return try GGUFTranslation(parts, vocabulary: GGUFVocabulary.source(parts.metadata))
  }

  private func values(_ tensor: SourceTensor) -> [UInt32] {
    var values = [Float](repeating: 0, count: tensor.elements)
    values.withUnsafeMutableBufferPointer { values in
      for r in 0..<tensor.rowCount {
        let part = values[(r * tensor.columns)..<((r + 1) * tensor.columns)]
        tensor.readRow(r, into: UnsafeMutableBufferPointer(rebasing: part))
      }
    }
    return values.map(\.bitPattern)
  }

  @Test(arguments: names)
  func tensorsAreThoseOfTransformers(_ name: String) throws {
    let found = try translation(name).tensors
    let expected = try SafetensorsFile(directory: folder(name), name: "model.safetensors").tensors
      // What the converter leaves out, and the importer ignores.
      .filter { !$0.name.hasPrefix("pooler.") && $0.name != "embeddings.position_ids" }
    #expect(Set(found.map(\.name)) == Set(expected.map(\.name)))
    #expect(found.count == expected.count)
    for tensor in found {
      let other = try #require(expected.first { $0.name == tensor.name })
      #expect(tensor.shape == other.shape, "\(tensor.name)")
      #expect(values(tensor) == values(other), "\(tensor.name)")
    }
  }

  /// What both configurations state is the same.
  @Test(arguments: names)
  func configurationsAgree(_ name: String) throws {
    let files = try translation(name).files
    let found = try #require(files.first { $0.name == "config.json" }?.json.object)
    for (file, json) in files {
      let expected = try JSON.parse(Fixtures.bytes("gguf/architectures/\(name)/\(file)"))
      for (key, value) in json.object?.members ?? [] {
        guard let other = expected[key], !other.isNull, !value.isNull else { continue }
        switch (key, name) {
        case ("eos_token_id", _): #expect(value.array?.first == other)
        // The file of a Mistral without a window is that of a Llama.
        case ("architectures", "mistral"), ("model_type", "mistral"): break
        default: #expect(same(value, other), "\(file): \(key): \(value.text()) and \(other.text())")
        }
      }
    }
    #expect(files.count == (name.hasPrefix("bert") ? 3 : 1))
    for key in ["model_type", "hidden_size", "vocab_size", "intermediate_size", "max_position_embeddings"] {
      #expect(found[key] != nil)
    }
  }

  /// Equal, numbers by their value.
  private func same(_ a: JSON, _ b: JSON) -> Bool {
    if let x = a.number, let y = b.number { return Double(x.text) == Double(y.text) }
    if let x = a.array, let y = b.array { return x.count == y.count && zip(x, y).allSatisfy { same($0, $1) } }
    return a == b
  }

  /// Both import to the same model, but for what they were made from and the ends that GGUF does not list.
  @Test(arguments: names, [WeightFormat.eightBit, .fourBit])
  func modelsAreTheSame(_ name: String, _ weights: WeightFormat) throws {
    func manifest(_ path: String) throws -> ModelManifest {
      try HuggingFaceImporter(directory: path, options: ImportOptions(threads: 1, weights: weights)).convert { _ in }
    }
    var (plain, gguf) = (try manifest(folder(name)), try manifest(folder(name) + "/model.gguf"))
    #expect(plain.tokens.endOfSequence.first == gguf.tokens.endOfSequence.first)
    #expect(plain.tokens.beginOfSequence == gguf.tokens.beginOfSequence)
    #expect(plain.source.format == "safetensors" && gguf.source.format == "gguf")
    if name == "mistral" { plain.architecture = "llama" }
    if name == "llama-divisors" {
      // The converter's divisors are binary32.
      for (a, b) in zip(plain.ropeFrequencies, gguf.ropeFrequencies) {
        #expect(abs(Double(a) - Double(b)) <= 0x1p-23 * Double(a))
      }
      plain.ropeFrequencies = gguf.ropeFrequencies
    }
    plain.tokens = gguf.tokens
    plain.source = gguf.source
    plain.blobs.tokenizer = gguf.blobs.tokenizer
    #expect(plain.blobs.weights == gguf.blobs.weights)
    #expect(plain == gguf)
  }

  private func scaling(_ name: String) throws -> JSON? {
    try translation(name).files[0].json["rope_scaling"]
  }

  @Test func rotationsAreScaledAlike() throws {
    #expect(
      try scaling("llama")
        == JSON.parse(
          #"{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192}"#
        ))
    #expect(try scaling("llama-biases") == JSON.parse(#"{"rope_type":"linear","factor":4.0}"#))
    #expect(try scaling("gemma3") == JSON.parse(#"{"rope_type":"linear","factor":8.0}"#))
    #expect(
      try scaling("phi3-longrope")
        == JSON.parse(#"{"rope_type":"longrope","long_factor":[4.0,5.0,6.5],"short_factor":[1.0,1.25,1.5]}"#))
    #expect(try translation("phi3-longrope").files[0].json["partial_rotary_factor"] == JSON.parse("0.75"))
    for name in ["mistral", "mixtral", "qwen2", "qwen3", "qwen3moe", "smollm3", "gemma2", "phi3"] {
      #expect(try scaling(name) == .null, "\(name)")
    }
    // Other parameters than Llama 3's: the divisors themselves, 8 head dimensions, o = 64.
    let divisors = try #require(try scaling("llama-divisors"))
    #expect(divisors["rope_type"] == "longrope" && divisors["long_factor"] == divisors["short_factor"])
    #expect(
      divisors["attention_factor"] == (try JSON.parse("1.0")) && divisors["original_max_position_embeddings"] == 512)
    let list = try #require(divisors["short_factor"]?.array?.map { Double($0.number!.text)! })
    #expect(list == [1, 8, 8, 8])
  }

  @Test func floatsHaveTheirShortestDecimals() throws {
    let config = try translation("llama").files[0].json
    #expect(config["rms_norm_eps"]?.number?.text == "1e-05" && config["rope_theta"]?.number?.text == "500000.0")
    #expect(try translation("bert-mean").files[0].json["layer_norm_eps"]?.number?.text == "1e-12")
    #expect(try translation("qwen3").files[0].json["rms_norm_eps"]?.number?.text == "1e-06")
  }
}
