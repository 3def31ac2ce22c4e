import Digests
import ModelGraph
import TestSupport

/// A model with random weights whose values stay in the range that trained models have.
struct SyntheticModel {
  var architecture = "llama"
  var config: ModelConfiguration
  /// What linear weights are stored as, one drawn for each whose width allows it.
  var formats: [TensorEntry.Kind] = [.linear8]
  /// Weights at their bounds and exponents anywhere, as no training yields them.
  var hostile = false
  /// Pairs of channels that turn; nil for all.
  var ropePairs: Int?

  static func configuration(
    hidden: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int, intermediate: Int, vocabulary: Int,
    context: Int, tied: Bool
  ) -> ModelConfiguration {
    // ε = round(1e-5 · d · 2^40)
    ModelConfiguration(
      hiddenSize: hidden, layers: layers, heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension,
      intermediateSize: intermediate, vocabularySize: vocabulary, contextLength: context, residualFractionBits: 20,
      normEpsilon: 10_995_116 * hidden, tiedEmbeddings: tied)
  }

  func image(seed: UInt64) throws -> ModelImage {
    var random = SplitMix64(seed: seed)
    var entries: [TensorEntry] = []
    var weights: [UInt8] = []
    let shapes = Architectures.all[architecture]?.tensors(config) ?? []
    for shape in shapes.sorted(by: { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }) {
      let possible = shape.kinds.filter {
        formats.contains($0) && TensorEntry.bytes(kind: $0, shape: shape.shape) != nil
      }
      let kind = possible.randomElement(using: &random) ?? shape.kind
      var tensor = SyntheticTensor(kind: kind, shape: shape.shape)
      tensor.fill(hostile: hostile, &random)
      weights += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(weights.count) - weights.count)
      entries.append(
        TensorEntry(
          name: shape.name, kind: kind, shape: shape.shape, exponent: tensor.exponent, offset: weights.count,
          bytes: tensor.bytes.count))
      weights += tensor.bytes
    }
    let pairs = config.isEncoder ? 0 : ropePairs ?? config.headDimension / 2
    let manifest = ModelManifest(
      architecture: architecture, config: config, ropeFrequencies: frequencies(pairs, slower: 1),
      localRopeFrequencies: architecture == "gemma3" ? frequencies(pairs, slower: 3) : nil,
      tokens: ModelManifest.SpecialTokens(endOfSequence: config.isEncoder ? [] : [0], beginOfSequence: nil),
      tensors: entries,
      blobs: ModelManifest.Blobs(
        weights: ModelManifest.Blob(digest: Digest(of: [UInt8]()), bytes: weights.count),
        tokenizer: ModelManifest.Blob(digest: Digest(of: [UInt8]()), bytes: 0), chatTemplate: nil),
      source: ModelManifest.ModelSource(format: "safetensors", files: []))
    return try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  /// Turns per position from 1 / 2π down to about 1 / 60000, halving evenly: close to θ = 10000.
  private func frequencies(_ pairs: Int, slower: UInt64) -> [UInt64] {
    let first: UInt64 = 0x28BE_60DB_9391_054A / slower
    return (0..<pairs).map { i in
      let (whole, part) = (13 * i).quotientAndRemainder(dividingBy: pairs)
      let high = first >> UInt64(whole)
      return high - high / UInt64(2 * pairs) * UInt64(part)
    }
  }
}
