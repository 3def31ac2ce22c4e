import ModelGraph
import Testing

/// Which architecture allows and requires which optional members, and the bounds of their numbers.
@Suite struct ConfigurationRulesTests {
  /// docs/spec/model.md, once more: what may be there beyond what every decoder may have.
  static let requires: [String: Set<String>] = [
    "qwen3": ["headNormEpsilon"], "gemma3": ["headNormEpsilon", "localFrequencies"],
    "qwen3moe": ["headNormEpsilon", "experts", "expertsPerToken"], "mixtral": ["experts", "expertsPerToken"],
    "bert": ["pooling"],
  ]
  static let allows: [String: Set<String>] = [
    "smollm3": ["ropelessLayers"], "gemma2": ["embeddingScale", "attentionSoftcap", "logitsSoftcap"],
    "gemma3": ["embeddingScale", "attentionSoftcap", "logitsSoftcap"], "mixtral": ["expertSharesOfAll"],
    "qwen3moe": ["expertSharesOfAll"], "bert": ["normalised", "activation", "biases"],
  ]
  static let ofEveryDecoder: Set<String> = ["activation", "biases", "localLayers", "tiedEmbeddings", "window"]

  /// What states the member, and what takes it away.
  static let members:
    [String: (on: @Sendable (inout ModelManifest) -> Void, off: @Sendable (inout ModelManifest) -> Void)] = [
      "activation": ({ $0.config.activation = .gelu }, { $0.config.activation = .silu }),
      "attentionSoftcap": ({ $0.config.attentionSoftcap = 1 << 20 }, { $0.config.attentionSoftcap = nil }),
      "biases": ({ $0.config.biases = [.query] }, { $0.config.biases = [] }),
      "embeddingScale": ({ $0.config.embeddingScale = 1 << 17 }, { $0.config.embeddingScale = nil }),
      "expertSharesOfAll": ({ $0.config.expertSharesOfAll = true }, { $0.config.expertSharesOfAll = false }),
      "experts": ({ $0.config.experts = 4 }, { $0.config.experts = nil }),
      "expertsPerToken": ({ $0.config.expertsPerToken = 2 }, { $0.config.expertsPerToken = nil }),
      "headNormEpsilon": ({ $0.config.headNormEpsilon = 7 }, { $0.config.headNormEpsilon = nil }),
      "localFrequencies": (
        { $0.localRopeFrequencies = $0.ropeFrequencies }, { $0.localRopeFrequencies = nil }
      ),
      "localLayers": ({ $0.config.localLayers = [1] }, { $0.config.localLayers = [] }),
      "logitsSoftcap": ({ $0.config.logitsSoftcap = 1 << 20 }, { $0.config.logitsSoftcap = nil }),
      "normalised": ({ $0.config.normalised = true }, { $0.config.normalised = false }),
      "pooling": ({ $0.config.pooling = .mean }, { $0.config.pooling = nil }),
      "ropelessLayers": ({ $0.config.ropelessLayers = [1] }, { $0.config.ropelessLayers = [] }),
      "tiedEmbeddings": ({ $0.config.tiedEmbeddings = true }, { $0.config.tiedEmbeddings = false }),
      "window": ({ $0.config.window = 3 }, { $0.config.window = nil }),
    ]

  /// A manifest with what the architecture requires and nothing else.
  func plain(_ architecture: String) -> ModelManifest {
    var random = SeededRandom.forTest()
    var manifest = RandomModel(config: RandomModel.configuration(layers: 3)).make(&random).0
    manifest.architecture = architecture
    manifest.config.tiedEmbeddings = false
    for member in ConfigurationRulesTests.requires[architecture] ?? [] {
      ConfigurationRulesTests.members[member]!.on(&manifest)
    }
    if architecture == "bert" { manifest.ropeFrequencies = [] }
    return manifest
  }

  @Test func everyMemberIsTested() {
    #expect(Set(ConfigurationMember.allCases.map(\.rawValue)) == Set(ConfigurationRulesTests.members.keys))
  }

  @Test(arguments: Architectures.all.keys.sorted())
  func allowsAndRequiresExactlyWhatTheSpecificationSays(architecture: String) throws {
    let requires = ConfigurationRulesTests.requires[architecture] ?? []
    let allows = (ConfigurationRulesTests.allows[architecture] ?? []).union(
      architecture == "bert" ? [] : ConfigurationRulesTests.ofEveryDecoder)
    let pairs = ["window": "localLayers", "localLayers": "window"]
    try plain(architecture).checkConfiguration()
    for (member, change) in ConfigurationRulesTests.members {
      var manifest = plain(architecture)
      if requires.contains(member) {
        change.off(&manifest)
        #expect(throws: ModelRejection.memberMissing(member, architecture: architecture), "\(member)") {
          try manifest.checkConfiguration()
        }
        continue
      }
      change.on(&manifest)
      if !allows.contains(member) {
        #expect(throws: ModelRejection.memberNotAllowed(member, architecture: architecture), "\(member)") {
          try manifest.checkConfiguration()
        }
      } else if let other = pairs[member] {
        #expect(throws: ModelRejection.memberMissing(other, architecture: architecture)) {
          try manifest.checkConfiguration()
        }
        ConfigurationRulesTests.members[other]!.on(&manifest)
        try manifest.checkConfiguration()
      } else {
        try manifest.checkConfiguration()
      }
    }
  }

  @Test func biasesOfProjectionsThatAreNotThere() {
    for (architecture, projections) in [
      ("bert", [Projection.gate]), ("mixtral", [.gate, .up, .down]), ("qwen3moe", [.gate, .up, .down]),
    ] {
      for projection in Projection.allCases {
        var manifest = plain(architecture)
        manifest.config.biases = [projection]
        if projections.contains(projection) {
          let name = "biases \(projection.rawValue)"
          #expect(throws: ModelRejection.memberNotAllowed(name, architecture: architecture)) {
            try manifest.checkConfiguration()
          }
        } else {
          #expect(throws: Never.self) { try manifest.checkConfiguration() }
        }
      }
    }
  }

  @Test func numbersAreWithinTheirBounds() {
    func bound(
      _ architecture: String, _ name: String, _ range: ClosedRange<Int>, _ location: SourceLocation = #_sourceLocation,
      _ set: (inout ModelManifest, Int) -> Void
    ) {
      for value in [range.lowerBound - 1, range.upperBound + 1, .min, .max] {
        var manifest = plain(architecture)
        set(&manifest, value)
        #expect(
          throws: ModelRejection.outOfBounds(name, value: value, lower: range.lowerBound, upper: range.upperBound),
          sourceLocation: location
        ) { try manifest.checkConfiguration() }
      }
      for value in [range.lowerBound, range.upperBound] {
        var manifest = plain(architecture)
        set(&manifest, value)
        #expect(throws: Never.self, sourceLocation: location) { try manifest.checkConfiguration() }
      }
    }
    bound("gemma2", "attentionSoftcap", 4096...((1 << 29) - 1)) { $0.config.attentionSoftcap = $1 }
    bound("gemma3", "logitsSoftcap", 4096...((1 << 29) - 1)) { $0.config.logitsSoftcap = $1 }
    bound("gemma3", "embeddingScale", 1...((1 << 22) - 1)) { $0.config.embeddingScale = $1 }
    bound("qwen3", "headNormEpsilon", 1...((1 << 53) - 1)) { $0.config.headNormEpsilon = $1 }
    bound("mistral", "window", 1...(1 << 20)) { ($0.config.localLayers, $0.config.window) = ([0], $1) }
    bound("llama", "localLayers", 0...2) { ($0.config.localLayers, $0.config.window) = ([$1], 4) }
    bound("smollm3", "ropelessLayers", 0...2) { $0.config.ropelessLayers = [$1] }
    bound("mixtral", "experts", 1...1024) { ($0.config.experts, $0.config.expertsPerToken) = ($1, 1) }
    bound("mixtral", "expertsPerToken", 1...3) { ($0.config.experts, $0.config.expertsPerToken) = (3, $1) }
    bound("qwen3moe", "expertsPerToken", 1...64) { ($0.config.experts, $0.config.expertsPerToken) = (1000, $1) }
    bound("bert", "contextLength", 1...8192) { $0.config.contextLength = $1 }
    for (frequencies, upper) in [(4, 3), (100, 3)] {
      var manifest = plain("llama")
      manifest.ropeFrequencies = Array(repeating: 1, count: frequencies)
      #expect(throws: ModelRejection.outOfBounds("rope.frequencies count", value: frequencies, lower: 0, upper: upper))
      {
        try manifest.checkConfiguration()
      }
    }
    var manifest = plain("bert")
    manifest.ropeFrequencies = [1]
    #expect(throws: ModelRejection.outOfBounds("rope.frequencies count", value: 1, lower: 0, upper: 0)) {
      try manifest.checkConfiguration()
    }
    manifest = plain("gemma3")
    manifest.localRopeFrequencies = [1, 2]
    #expect(throws: ModelRejection.outOfBounds("rope.localFrequencies count", value: 2, lower: 3, upper: 3)) {
      try manifest.checkConfiguration()
    }
    manifest = plain("mixtral")
    (manifest.config.experts, manifest.config.expertsPerToken, manifest.config.intermediateSize) = (64, 64, 1024)
    #expect(
      throws: ModelRejection.outOfBounds("expertsPerToken · intermediateSize", value: 65536, lower: 1, upper: 65535)
    ) { try manifest.checkConfiguration() }
  }

  @Test func anEncoderNeedsNoEndOfSequence() {
    var manifest = plain("bert")
    manifest.tokens.endOfSequence = []
    #expect(throws: Never.self) { try manifest.checkConfiguration() }
    manifest = plain("llama")
    manifest.tokens.endOfSequence = []
    #expect(throws: ModelRejection.outOfBounds("tokens.endOfSequence count", value: 0, lower: 1, upper: 64)) {
      try manifest.checkConfiguration()
    }
  }
}
