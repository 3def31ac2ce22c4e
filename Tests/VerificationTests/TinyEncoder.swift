import Digests
import ModelGraph
import Receipts
import TestSupport
import Verification

/// An encoder of one layer with weights from a seeded generator, and a node that embeds with it.
struct TinyEncoder: Sendable {
  let image: ModelImage
  var manifest: ModelManifest { image.manifest }
  var digest: Digest<ModelManifest> { manifest.digest }
  static let shared = TinyEncoder(seed: 3)

  init(seed: UInt64) {
    let config = ModelConfiguration(
      hiddenSize: 16, layers: 1, heads: 2, keyValueHeads: 2, headDimension: 8, intermediateSize: 24,
      vocabularySize: 64, contextLength: 40, residualFractionBits: 20, normEpsilon: 1 << 20, tiedEmbeddings: false,
      activation: .gelu, biases: [.query, .key, .value, .output, .up, .down], normalised: true, pooling: .mean)
    var random = SplitMix64(seed: seed)
    var weights: [UInt8] = []
    var tensors: [TensorEntry] = []
    for wanted in Architectures.all["bert"]!.tensors(config).sorted(by: { $0.name < $1.name }) {
      while weights.count % 64 != 0 { weights.append(0) }
      let offset = weights.count
      switch wanted.kind {
      case .gain, .bias:
        for _ in 0..<wanted.shape[0] {
          weights += Int32.random(in: 1 << 20...1 << 22, using: &random).littleEndianBytes
        }
      default:
        let bytes = wanted.shape[0] * wanted.shape[1] * (wanted.kind == .table16 ? 2 : 1)
        for _ in 0..<bytes { weights.append(UInt8.random(in: 0...255, using: &random)) }
        while (weights.count - offset) % 64 != 0 { weights.append(0) }
        for _ in 0..<wanted.shape[0] {
          weights += UInt32.random(in: 1 << 20..<1 << 21, using: &random).littleEndianBytes
        }
      }
      let exponent =
        switch wanted.kind {
        case .gain: 20
        case .bias: 22
        case .table16: 36
        default: 28
        }
      tensors.append(
        TensorEntry(
          name: wanted.name, kind: wanted.kind, shape: wanted.shape, exponent: exponent, offset: offset,
          bytes: weights.count - offset))
    }
    let manifest = ModelManifest(
      architecture: "bert", config: config, ropeFrequencies: [],
      tokens: .init(endOfSequence: [], beginOfSequence: nil), tensors: tensors,
      blobs: .init(
        weights: .init(digest: Digest(of: weights), bytes: weights.count),
        tokenizer: .init(digest: Digest(of: Array("tiny".utf8)), bytes: 4), chatTemplate: nil),
      source: .init(
        format: "safetensors",
        files: [.init(name: "tiny.safetensors", digest: Digest(of: Array("tiny".utf8)), bytes: 4)]))
    image = try! ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  var recomputation: ReferenceRecomputation { ReferenceRecomputation(image: image) }

  static let key = NodeSigningKey(seed: Array(repeating: 7, count: 32))!
  static let request = EmbeddingRequest(inputs: [
    .text("Evident, exactly."), .tokens([9, 1, 33]), .text("An evident example."),
  ])

  /// The record of honest embeddings.
  func embed(_ request: EmbeddingRequest = request, dimensions: Int = 16) throws -> EmbeddingRecord {
    let inputs = try request.inputs.map { try TinyRenderer().inputTokens(for: $0) }
    return EmbeddingRecord(
      receiptID: "rcpt_0123456789abcdef", responseID: "embd-0123456789", model: digest, requestedName: "tiny",
      request: request, inputTokens: inputs, dimensions: dimensions,
      vectors: try inputs.map { try recomputation.embedding(for: $0, dimensions: dimensions) },
      software: "evident 0.1.0", time: TinyNode.time, promise: TinyLog.promise)
  }

  func file(_ record: EmbeddingRecord) throws -> EvidenceFile {
    let signed = try ReceiptSigner(key: TinyEncoder.key).sign(record, salt: Salt(Array(0..<32))!)
    return EvidenceFile(
      receipt: signed.receipt.envelope, opening: .embedding(signed.opening),
      model: try JSON.parse(manifest.canonicalBytes))
  }

  func options(replay: Bool = true) -> VerifierOptions {
    var options = VerifierOptions()
    options.replay = replay
    options.policy = TinyLog.policy
    options.models = Library(encoder: self)
    return options
  }

  private struct Library: ModelLibrary {
    let encoder: TinyEncoder
    func renderer(for wanted: Digest<ModelManifest>) -> (any PromptRenderer)? {
      wanted == encoder.digest ? TinyRenderer() : nil
    }
    func recomputation(for wanted: Digest<ModelManifest>) -> (any Recomputation)? {
      wanted == encoder.digest ? encoder.recomputation : nil
    }
  }
}
