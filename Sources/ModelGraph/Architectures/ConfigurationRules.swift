/// An optional member of a configuration; the raw value is its name in the manifest.
///
/// Source: docs/spec/model.md, "Optional members of `config`".
public enum ConfigurationMember: String, Sendable, CaseIterable {
  case activation, attentionSoftcap, biases, embeddingScale, expertSharesOfAll, experts, expertsPerToken
  case headNormEpsilon, localFrequencies, localLayers, logitsSoftcap, normalised, pooling, ropelessLayers
  case tiedEmbeddings, window

  /// Whether the manifest says something here other than that there is nothing.
  func isPresent(in manifest: ModelManifest) -> Bool {
    let c = manifest.config
    return switch self {
    case .activation: c.activation != .silu
    case .attentionSoftcap: c.attentionSoftcap != nil
    case .biases: !c.biases.isEmpty
    case .embeddingScale: c.embeddingScale != nil
    case .expertSharesOfAll: c.expertSharesOfAll
    case .experts: c.experts != nil
    case .expertsPerToken: c.expertsPerToken != nil
    case .headNormEpsilon: c.headNormEpsilon != nil
    case .localFrequencies: manifest.localRopeFrequencies != nil
    case .localLayers: !c.localLayers.isEmpty
    case .logitsSoftcap: c.logitsSoftcap != nil
    case .normalised: c.normalised
    case .pooling: c.pooling != nil
    case .ropelessLayers: !c.ropelessLayers.isEmpty
    case .tiedEmbeddings: c.tiedEmbeddings
    case .window: c.window != nil
    }
  }
}

/// Which optional members a configuration of an architecture may have, and which it must have.
public struct ConfigurationRules: Sendable {
  public let requires: Set<ConfigurationMember>
  /// Includes what it requires.
  public let allows: Set<ConfigurationMember>
  /// Projections that may have a bias.
  public let biases: Set<Projection>

  /// Every decoder may have biases, local layers, another activation, and tied embeddings.
  ///
  /// - Parameters:
  ///   - requires: what it must have.
  ///   - allows: what else it may have.
  public static func decoder(
    requires: Set<ConfigurationMember> = [], allows: Set<ConfigurationMember> = []
  ) -> ConfigurationRules {
    let hasExperts = requires.contains(.experts)
    return ConfigurationRules(
      requires: requires,
      allows: allows.union(requires).union([.activation, .biases, .localLayers, .tiedEmbeddings, .window]),
      biases: hasExperts ? [.query, .key, .value, .output] : Set(Projection.allCases))
  }

  /// An encoder states how it pools.
  public static let encoder = ConfigurationRules(
    requires: [.pooling], allows: [.activation, .biases, .normalised, .pooling],
    biases: Set(Projection.allCases).subtracting([.gate]))

  public var isEncoder: Bool { requires.contains(.pooling) }

  /// Members that make sense only together.
  private static let companions: [(ConfigurationMember, needs: ConfigurationMember)] = [
    (.window, .localLayers), (.localLayers, .window), (.experts, .expertsPerToken), (.expertsPerToken, .experts),
  ]

  func check(_ manifest: ModelManifest) throws(ModelRejection) {
    let present = Set(ConfigurationMember.allCases.filter { $0.isPresent(in: manifest) })
    for member in ConfigurationMember.allCases {
      if present.contains(member) && !allows.contains(member) {
        throw .memberNotAllowed(member.rawValue, architecture: manifest.architecture)
      }
      if requires.contains(member) && !present.contains(member) {
        throw .memberMissing(member.rawValue, architecture: manifest.architecture)
      }
    }
    for (member, needs) in ConfigurationRules.companions where present.contains(member) && !present.contains(needs) {
      throw .memberMissing(needs.rawValue, architecture: manifest.architecture)
    }
    if let bias = manifest.config.biases.subtracting(biases).map(\.rawValue).min() {
      throw .memberNotAllowed("biases \(bias)", architecture: manifest.architecture)
    }
  }
}
