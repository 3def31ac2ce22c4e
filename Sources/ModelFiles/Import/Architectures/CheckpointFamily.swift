import Digests
import ModelGraph

/// How the checkpoints of one family are read: what their `config.json` means, and which of their tensors make
/// which tensor of the model. One file for each family; ``CheckpointFamilies`` lists them.
///
/// Source: docs/spec/model.md, "Architectures".
protocol CheckpointFamily: Sendable {
  /// The architecture's name in the manifest.
  var architecture: String { get }
  /// What `architectures` in `config.json` may say.
  var classNames: [String] { get }
  /// What `model_type` may say.
  var modelTypes: [String] { get }

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration

  /// Where a tensor of the model comes from.
  func recipe(for target: TensorName, _ config: ModelConfiguration) -> TensorRecipe

  /// The name that a stored tensor's is short or another word for.
  func canonical(_ name: String) -> String

  /// Whether a tensor has no part in what the model computes.
  func ignores(_ name: String) -> Bool
}

extension CheckpointFamily {
  func canonical(_ name: String) -> String { name }
  // Old checkpoints store what rope_theta already says.
  func ignores(_ name: String) -> Bool { name.utf8.hasSuffix(".self_attn.rotary_emb.inv_freq") }
}

/// The registry: one line per family.
enum CheckpointFamilies {
  static let all: [any CheckpointFamily] = [
    LlamaCheckpoint(),
    MistralCheckpoint(),
    Qwen2Checkpoint(),
    Qwen3Checkpoint(),
    SmolLM3Checkpoint(),
    Gemma2Checkpoint(),
    Gemma3Checkpoint(),
    Phi3Checkpoint(),
    MixtralCheckpoint(),
    Qwen3MoeCheckpoint(),
    BertCheckpoint(),
  ]

  /// The family that `config.json` names.
  static func of(_ config: HuggingFaceMembers) throws(ImportRejection) -> any CheckpointFamily {
    guard let names = config.value("architectures")?.array?.compactMap(\.string), let name = names.first else {
      throw config.missing("architectures")
    }
    guard names.count == 1, let family = all.first(where: { $0.classNames.contains(name) }) else {
      throw config.unsupported(
        "architectures", found: names.map(quoted).joined(separator: ", "),
        supported: all.flatMap(\.classNames).joined(separator: ", "))
    }
    try config.require("model_type", family.modelTypes.map { "\"\($0)\"" }, orAbsent: false)
    return family
  }
}

/// What a family makes of a checkpoint's documents.
struct CheckpointConfiguration {
  var model: ModelConfiguration
  /// Nil where nothing rotates.
  var rope: RopeDescription?
  /// Of local layers, where they rotate otherwise.
  var localRope: RopeDescription?
  var tokens: ModelManifest.SpecialTokens
  /// Attention scores are divided by the root of this.
  var queryScalar: Double
}
