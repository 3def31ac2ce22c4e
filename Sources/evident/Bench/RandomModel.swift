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

  /// The model in memory, head and embedding tied.
  static func make(_ shape: Shape, contextLength: Int) throws -> ModelImage {
    let config = ModelConfiguration(
      hiddenSize: shape.hidden, layers: shape.layers, heads: shape.heads, keyValueHeads: shape.keyValueHeads,
      headDimension: shape.headDimension, intermediateSize: shape.intermediate, vocabularySize: shape.vocabulary,
      contextLength: contextLength, residualFractionBits: 20, normEpsilon: 1 << 24, tiedEmbeddings: true)
    var tensors: [TensorEntry] = []
    var size = 0
    guard let llama = Architectures.all["llama"] else { throw CommandFailure("this build has no Llama architecture") }
    for tensor in llama.tensors(config) {
      guard let bytes = TensorEntry.bytes(kind: tensor.kind, shape: tensor.shape) else { continue }
      size = TensorEntry.paddedTo64(size)
      // Multipliers near 2^23 at exponent 34 make weights of about 2^-11 · q, the size of trained ones.
      tensors.append(
        TensorEntry(
          name: tensor.name, kind: tensor.kind, shape: tensor.shape, exponent: tensor.kind == .gain ? 17 : 34,
          offset: size, bytes: bytes))
      size += bytes
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    fill(buffer, tensors)
    let nothing = ModelManifest.Blob(digest: Digest(of: []), bytes: 0)
    let manifest = ModelManifest(
      architecture: "llama", config: config,
      ropeFrequencies: (0..<UInt64(shape.headDimension / 2)).map {
        (1 << 61) >> (($0 * 13) / UInt64(shape.headDimension / 2))
      },
      tokens: .init(endOfSequence: [0], beginOfSequence: nil), tensors: tensors,
      blobs: .init(weights: .init(digest: Digest(of: []), bytes: size), tokenizer: nothing, chatTemplate: nil),
      source: .init(format: "random", files: []))
    // Lives as long as the process: a benchmark loads one model and ends.
    return try ModelImage(manifest: manifest, weights: ModelBytes(buffer: UnsafeRawBufferPointer(buffer), owner: nil))
  }

  private static func fill(_ buffer: UnsafeMutableRawBufferPointer, _ tensors: [TensorEntry]) {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    for i in 0..<(buffer.count / 8) { buffer.storeBytes(of: next(), toByteOffset: 8 * i, as: UInt64.self) }
    for tensor in tensors {
      let numbers = tensor.kind == .gain ? 0 : TensorEntry.paddedTo64(tensor.shape[0] * tensor.shape[1])
      for i in 0..<tensor.shape[0] {
        let value = tensor.kind == .gain ? Int32(1 << 22) : Int32((1 << 23) + Int(next() >> 42))
        buffer.storeBytes(of: value, toByteOffset: tensor.offset + numbers + 4 * i, as: Int32.self)
      }
    }
  }
}
