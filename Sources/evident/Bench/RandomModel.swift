import Digests
import ModelGraph

/// A model with random weights in a given shape: as fast or slow as a trained one, and nothing to
/// download. Its answers mean nothing.
enum RandomModel {
  struct Shape {
    let name: String
    let hidden: Int
    let layers: Int
    let heads: Int
    let keyValueHeads: Int
    let headDimension: Int
    let intermediate: Int
    let vocabulary: Int
  }

  static let shapes = [
    Shape(
      name: "SmolLM2-135M", hidden: 576, layers: 30, heads: 9, keyValueHeads: 3, headDimension: 64, intermediate: 1536,
      vocabulary: 49152),
    Shape(
      name: "Qwen2.5-0.5B", hidden: 896, layers: 24, heads: 14, keyValueHeads: 2, headDimension: 64, intermediate: 4864,
      vocabulary: 151_936),
    Shape(
      name: "Llama-3.2-1B", hidden: 2048, layers: 16, heads: 32, keyValueHeads: 8, headDimension: 64,
      intermediate: 8192, vocabulary: 128_256),
  ]

  /// The model in a file without a name, as a stored one is in a file; head and embedding are tied.
  ///
  /// - Parameters:
  ///   - linears: the format of linear weights that may have it.
  ///   - head: the format of the head.
  static func make(_ shape: Shape, linears: TensorEntry.Kind, head: TensorEntry.Kind, contextLength: Int) throws
    -> ModelImage
  {
    let config = ModelConfiguration(
      hiddenSize: shape.hidden, layers: shape.layers, heads: shape.heads, keyValueHeads: shape.keyValueHeads,
      headDimension: shape.headDimension, intermediateSize: shape.intermediate, vocabularySize: shape.vocabulary,
      contextLength: contextLength, residualFractionBits: 20, normEpsilon: 1 << 24, tiedEmbeddings: true)
    guard let llama = Architectures.all["llama"] else { throw CommandFailure("this build has no Llama architecture") }
    let file = try RandomWeights()
    var tensors: [TensorEntry] = []
    for tensor in llama.tensors(config) {
      let kind = tensor.role == .head ? head : tensor.kinds.contains(linears) ? linears : tensor.kind
      tensors.append(try file.append(tensor.name, kind, tensor.shape))
    }
    let weights = try file.finish()
    let nothing = ModelManifest.Blob(digest: Digest(of: []), bytes: 0)
    let manifest = ModelManifest(
      architecture: "llama", config: config,
      ropeFrequencies: (0..<UInt64(shape.headDimension / 2)).map {
        (1 << 61) >> (($0 * 13) / UInt64(shape.headDimension / 2))
      },
      tokens: .init(endOfSequence: [0], beginOfSequence: nil), tensors: tensors,
      blobs: .init(weights: .init(digest: Digest(of: []), bytes: weights.count), tokenizer: nothing, chatTemplate: nil),
      source: .init(format: "random", files: []))
    return try ModelImage(manifest: manifest, weights: weights)
  }
}
