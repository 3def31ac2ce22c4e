import Digests
import ModelGraph

/// Models made in a test: any shape, ordinary or hostile numbers.
struct RandomModel {
  /// What fills the tensors.
  enum Content {
    /// Scales such that activations stay of order one, as in a trained model.
    case ordinary
    /// Scales and exponents from anywhere within the bounds.
    case wild
    /// The largest magnitudes that the bounds allow, all of one sign or of random signs.
    case extreme(sameSign: Bool, exponent: Int)
  }

  var config: ModelConfiguration
  var content = Content.ordinary

  static func configuration(
    hidden: Int = 12, layers: Int = 2, heads: Int = 2, keyValueHeads: Int = 1, headDimension: Int = 6,
    intermediate: Int = 20, vocabulary: Int = 37, context: Int = 64, fractionBits: Int = 20, epsilon: Int? = nil,
    tied: Bool = false
  ) -> ModelConfiguration {
    ModelConfiguration(
      hiddenSize: hidden, layers: layers, heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension,
      intermediateSize: intermediate, vocabularySize: vocabulary, contextLength: context,
      residualFractionBits: fractionBits, normEpsilon: epsilon ?? max(1, hidden << (2 * fractionBits) / 100_000),
      tiedEmbeddings: tied)
  }

  func image(_ random: inout SeededRandom) throws -> ModelImage {
    let (manifest, weights) = make(&random)
    return try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  func make(_ random: inout SeededRandom) -> (ModelManifest, [UInt8]) {
    var entries: [TensorEntry] = []
    var weights: [UInt8] = []
    for tensor in Architectures.all["llama"]!.tensors(config) {
      weights += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(weights.count) - weights.count)
      let (bytes, exponent) = encoded(tensor, &random)
      entries.append(
        TensorEntry(
          name: tensor.name, kind: tensor.kind, shape: tensor.shape, exponent: exponent, offset: weights.count,
          bytes: bytes.count))
      weights += bytes
    }
    entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let none: [UInt8] = []
    let manifest = ModelManifest(
      architecture: "llama", config: config,
      ropeFrequencies: (0..<(config.headDimension / 2)).map { (UInt64.max / 6) >> UInt64(2 * min($0, 20)) },
      tokens: .init(endOfSequence: [0], beginOfSequence: nil), tensors: entries,
      blobs: .init(
        weights: .init(digest: Digest(of: weights), bytes: weights.count),
        tokenizer: .init(digest: Digest(of: none), bytes: 0), chatTemplate: nil),
      source: .init(format: "safetensors", files: []))
    return (manifest, weights)
  }

  private func encoded(_ tensor: TensorShape, _ random: inout SeededRandom) -> ([UInt8], exponent: Int) {
    let count = tensor.shape.reduce(1, *)
    let rows = tensor.shape[0]
    let columns = tensor.shape.count > 1 ? tensor.shape[1] : rows
    let largest = [.linear8: 128, .table16: 32768, .gain: (1 << 23) - 1][tensor.kind]!
    var out: [UInt8] = []
    for _ in 0..<count {
      let value: Int
      switch content {
      case .ordinary where tensor.kind == .gain: value = Int.random(in: 1 << 21...1 << 22, using: &random)
      case .ordinary: value = Int.random(in: -(largest - 1)...(largest - 1), using: &random)
      case .wild: value = random.spread(largest - (tensor.kind == .gain ? 0 : 1))
      case .extreme(let sameSign, _):
        let positive = !sameSign && Bool.random(using: &random)
        value = positive ? largest - (tensor.kind == .gain ? 0 : 1) : -largest
      }
      switch tensor.kind {
      case .linear8: append(Int8(value), to: &out)
      case .table16: append(Int16(value), to: &out)
      case .gain: append(Int32(value), to: &out)
      case .linear4, .linear4m, .bias: preconditionFailure("no llama of 8-bit weights has one")
      }
    }
    if tensor.kind != .gain {
      out += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(out.count) - out.count)
      for _ in 0..<rows {
        let multiplier: Int
        switch content {
        case .ordinary: multiplier = Int.random(in: 1 << 21..<1 << 24, using: &random)
        case .wild: multiplier = abs(random.spread((1 << 24) - 1))
        case .extreme: multiplier = (1 << 24) - 1
        }
        append(UInt32(multiplier), to: &out)
      }
    }
    return (out, exponent(tensor.kind, columns, &random))
  }

  private func append(_ x: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: x.littleEndian) { out.append(contentsOf: $0) }
  }

  private func exponent(_ kind: TensorEntry.Kind, _ columns: Int, _ random: inout SeededRandom) -> Int {
    switch (content, kind) {
    case (.extreme(_, let exponent), _): return exponent
    case (.wild, _): return Bool.random(using: &random) ? Int.random(in: -256...256, using: &random) : 30
    case (.ordinary, .gain): return 21 - Rounding.bitLength(columns) / 2
    case (.ordinary, .linear8): return 23 + 7 + Rounding.bitLength(columns) / 2 - 1
    case (.ordinary, .table16): return 23 + 15
    case (.ordinary, _): preconditionFailure("no llama of 8-bit weights has one")
    }
  }
}
