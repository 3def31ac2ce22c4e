package import Digests
package import Tokenizers

/// A GGUF model in the words of a Hugging Face directory: `config.json` and tensors under the names, in the
/// order and with the values that `transformers` gives them.
///
/// Source: docs/spec/model.md, "GGUF files".
package struct GGUFTranslation {
  static let tensorsMax = 1 << 18

  /// `config.json`, and what sentence-transformers keeps beside it.
  package let files: [(name: String, json: JSON)]
  package let tensors: [SourceTensor]

  package init(_ parts: GGUFParts, vocabulary: VocabularySource) throws(GGUFRejection) {
    let metadata = parts.metadata
    let configuration = try GGUFConfiguration(metadata)
    var stored: [SourceTensor] = []
    for file in parts.files { stored += try file.tensors() }
    var byName: [String: SourceTensor] = [:]
    for tensor in stored {
      if let other = byName.updateValue(tensor, forKey: tensor.name) {
        throw .duplicateTensor(tensor.name, files: [other.file, tensor.file])
      }
    }
    guard let embedding = byName["token_embd.weight"] else {
      throw .missing(file: metadata.file, key: "tensor token_embd.weight")
    }
    let scaling = GGUFRopeScaling(
      hyperparameters: configuration.hyperparameters,
      factors: try GGUFTranslation.factors(byName["rope_freqs.weight"]),
      longFactors: try GGUFTranslation.factors(byName["rope_factors_long.weight"]),
      shortFactors: try GGUFTranslation.factors(byName["rope_factors_short.weight"]))
    var config = try configuration.json(
      vocabularySize: embedding.rowCount, tied: byName["output.weight"] == nil,
      endOfSequence: try GGUFVocabulary.endOfSequence(vocabulary, metadata), beginOfSequence: vocabulary.beginID,
      scaling: scaling)
    if configuration.architecture.isEncoder {
      config["type_vocab_size"] = byName["token_types.weight"].map { .integer($0.rowCount) }
    }
    let biases = Set(stored.map(\.name).filter { $0.utf8.hasSuffix(".bias") })
    GGUFTranslation.describeBiases(&config, configuration.architecture, biases)
    files = [(name: "config.json", json: .object(config))] + (try configuration.sentenceTransformer())
    let names = GGUFTensorNames(configuration)
    var tensors: [SourceTensor] = []
    for tensor in stored {
      tensors += try names.translate(tensor)
      // Experts multiply: a small file must not become more tensors than memory holds.
      guard tensors.count <= GGUFTranslation.tensorsMax else {
        throw .tooMany(
          file: metadata.file, what: "matrices of experts", count: UInt64(tensors.count),
          countMax: GGUFTranslation.tensorsMax)
      }
    }
    self.tensors = tensors
  }

  /// Numbers in a tensor of one dimension; nil where there is none.
  private static func factors(_ tensor: SourceTensor?) throws(GGUFRejection) -> [Float]? {
    guard let tensor else { return nil }
    guard tensor.rowCount == 1, tensor.columns <= 1024 else {
      throw .tensor(
        file: tensor.file, tensor: tensor.name, problem: "has shape \(tensor.shape); it should be one short list")
    }
    var values = [Float](repeating: 0, count: tensor.columns)
    values.withUnsafeMutableBufferPointer { tensor.readRow(0, into: $0) }
    return values
  }

  /// Flags for biases that some families have in some models.
  private static func describeBiases(
    _ config: inout JSONObject, _ architecture: GGUFArchitecture, _ biases: Set<String>
  ) {
    func has(_ parts: [String]) -> Bool { parts.contains { biases.contains("blk.0.\($0).bias") } }
    switch architecture.modelType {
    case "llama", "smollm3":
      config["attention_bias"] = .bool(has(["attn_q", "attn_k", "attn_v", "attn_output"]))
      config["mlp_bias"] = .bool(has(["ffn_gate", "ffn_up", "ffn_down"]))
    case "qwen3", "qwen3_moe", "gemma2", "gemma3_text":
      config["attention_bias"] = .bool(has(["attn_q", "attn_k", "attn_v", "attn_output"]))
    default: break
    }
  }
}
