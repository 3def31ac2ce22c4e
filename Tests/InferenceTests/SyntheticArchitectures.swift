import ModelGraph
import TestSupport

extension SyntheticModel {
  /// A small model of an architecture with what it is about, and at random with everything that it may have.
  ///
  /// Widths are multiples of 32 mostly, so that weights can have 4 bits.
  static func random(_ architecture: String, formats: [TensorEntry.Kind], _ random: inout SplitMix64) -> SyntheticModel
  {
    guard let rules = Architectures.all[architecture]?.rules else { preconditionFailure("an architecture") }
    let keyValueHeads = [1, 2, 4].randomElement(using: &random) ?? 1
    let headDimension = [8, 16, 18, 32].randomElement(using: &random) ?? 8
    var c = configuration(
      hidden: [32, 64, 96].randomElement(using: &random) ?? 64, layers: 2,
      heads: keyValueHeads * Int.random(in: 1...2, using: &random), keyValueHeads: keyValueHeads,
      headDimension: headDimension, intermediate: [32, 50, 96, 160].randomElement(using: &random) ?? 96,
      vocabulary: Int.random(in: 40...90, using: &random), context: 150,
      tied: !rules.isEncoder && random.flip())
    func may(_ member: ConfigurationMember) -> Bool {
      rules.requires.contains(member) || (rules.allows.contains(member) && random.next() % 3 > 0)
    }
    func someLayers() -> Set<Int> { Set((0..<c.layers).filter { _ in random.flip() } + [0]) }
    if may(.activation) { c.activation = random.flip() ? .gelu : .geluTanh }
    if may(.biases) { c.biases = rules.biases.filter { _ in random.flip() } }
    if may(.window) {
      c.window = Int.random(in: 1...40, using: &random)
      c.localLayers = someLayers()
    }
    if may(.headNormEpsilon) { c.headNormEpsilon = 1_099_512 * headDimension }
    if may(.embeddingScale) { c.embeddingScale = Int.random(in: 1..<(1 << 19), using: &random) }
    if may(.attentionSoftcap) { c.attentionSoftcap = [1 << 12, 20_000, 295_451].randomElement(using: &random) }
    if may(.logitsSoftcap) { c.logitsSoftcap = [1 << 12, 1 << 16, 30 << 16].randomElement(using: &random) }
    if may(.ropelessLayers) { c.ropelessLayers = someLayers() }
    if may(.experts) {
      c.experts = Int.random(in: 1...9, using: &random)
      c.expertsPerToken = Int.random(in: 1...min(4, c.experts ?? 1), using: &random)
      c.expertSharesOfAll = may(.expertSharesOfAll)
    }
    if may(.pooling) { c.pooling = Pooling.allCases.randomElement(using: &random) }
    c.normalised = may(.normalised)
    let pairs = random.next() % 3 == 0 ? Int.random(in: 0...headDimension / 2, using: &random) : nil
    return SyntheticModel(architecture: architecture, config: c, formats: formats, ropePairs: pairs)
  }
}
