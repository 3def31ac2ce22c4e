import Digests
import ModelGraph

/// Models made in a test: any architecture and shape, ordinary or hostile numbers.
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

  var architecture = "llama"
  var config: ModelConfiguration
  var content = Content.ordinary
  /// What linear weights are stored as, one drawn for each whose width allows it.
  var formats: [TensorEntry.Kind] = [.linear8]

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
    for tensor in Architectures.all[architecture]!.tensors(config) {
      let possible = tensor.kinds.filter {
        formats.contains($0) && TensorEntry.bytes(kind: $0, shape: tensor.shape) != nil
      }
      let kind = possible.randomElement(using: &random) ?? tensor.kind
      weights += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(weights.count) - weights.count)
      let numbers = RandomTensor(kind: kind, shape: tensor.shape, content: content).make(&random)
      entries.append(
        TensorEntry(
          name: tensor.name, kind: kind, shape: tensor.shape, exponent: numbers.exponent, offset: weights.count,
          bytes: numbers.bytes.count))
      weights += numbers.bytes
    }
    entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let none: [UInt8] = []
    let pairs = config.isEncoder ? 0 : config.headDimension / 2
    let frequencies = (0..<pairs).map { (UInt64.max / 6) >> UInt64(2 * min($0, 20)) }
    let manifest = ModelManifest(
      architecture: architecture, config: config,
      // Phi rotates a part of each head only.
      ropeFrequencies: Array(frequencies.prefix(architecture == "phi3" ? max(1, pairs / 2) : pairs)),
      localRopeFrequencies: architecture == "gemma3" ? frequencies.map { $0 / 3 } : nil,
      tokens: .init(endOfSequence: config.isEncoder ? [] : [0], beginOfSequence: nil), tensors: entries,
      blobs: .init(
        weights: .init(digest: Digest(of: weights), bytes: weights.count),
        tokenizer: .init(digest: Digest(of: none), bytes: 0), chatTemplate: nil),
      source: .init(format: "safetensors", files: []))
    return (manifest, weights)
  }

  // MARK: Every architecture

  /// A configuration that has what the architecture is about.
  static func configuration(of architecture: String, _ random: inout SeededRandom) -> ModelConfiguration {
    var c = configuration(
      hidden: 64, layers: 3, heads: 4, keyValueHeads: [1, 2, 4].randomElement(using: &random)!, headDimension: 8,
      intermediate: 32, vocabulary: 41, context: 80, tied: Bool.random(using: &random))
    func someLayers() -> Set<Int> { Set((0..<3).filter { _ in Bool.random(using: &random) } + [1]) }
    switch architecture {
    case "llama": break
    case "mistral": (c.window, c.localLayers) = (Int.random(in: 1...6, using: &random), someLayers())
    case "qwen2": c.biases = [.query, .key, .value]
    case "qwen3": c.headNormEpsilon = 8 << 24
    case "smollm3": c.ropelessLayers = someLayers()
    case "phi3":
      (c.window, c.localLayers) = (3, [0, 1, 2])
      c.biases = Set(Projection.allCases)
    case "gemma2", "gemma3":
      (c.window, c.localLayers) = (4, someLayers())
      (c.embeddingScale, c.activation) = (8 << 14, .geluTanh)
      c.logitsSoftcap = 30 << 16
      c.attentionSoftcap = architecture == "gemma2" ? 295_451 : nil
      c.headNormEpsilon = architecture == "gemma3" ? 8 << 23 : nil
    case "mixtral":
      (c.experts, c.expertsPerToken) = (4, 2)
      c.biases = [.output]
    case "qwen3moe":
      (c.experts, c.expertsPerToken) = (6, Int.random(in: 1...6, using: &random))
      (c.headNormEpsilon, c.expertSharesOfAll) = (8 << 24, Bool.random(using: &random))
    case "bert":
      (c.pooling, c.normalised, c.activation) = (.mean, true, .gelu)
      (c.tiedEmbeddings, c.keyValueHeads) = (false, 4)
      c.biases = [.query, .key, .value, .output, .up, .down]
    default: preconditionFailure("a configuration of \(architecture)")
    }
    return c
  }
}
