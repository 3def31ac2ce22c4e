import ModelGraph

/// A model as it was published, in the words of a Hugging Face directory whatever files it came in.
struct Checkpoint {
  /// What the manifest calls the source: `gguf` or `safetensors`.
  let format: String
  let documents: CheckpointDocuments
  let tensors: [SourceTensor]
  /// Tensors that are no real numbers.
  var others: [OtherTensor] = []
  /// Where tensors are looked for, for messages.
  let place: String
  /// The bytes of tokenizer.json.
  let tokenizer: [UInt8]
  let chatTemplate: [UInt8]?
  /// Bytes of all source files.
  let sourceBytes: Int
  /// The digests of everything that was read, sorted by name; called with the bytes done since the last call.
  let sourceFiles: ((Int) -> Void) -> [ModelManifest.SourceFile]

  /// Harmless where the family ignores it, such as position ids; otherwise it is refused.
  struct OtherTensor {
    let name: String
    let rejection: SafetensorsRejection
  }
}
