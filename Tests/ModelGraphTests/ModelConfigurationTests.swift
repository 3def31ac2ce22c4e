import Digests
import ModelGraph
import Testing

/// The optional members of docs/spec/model.md: present, absent, stating their absence, and wrong.
@Suite struct ModelConfigurationTests {
  let manifest: ModelManifest
  let json: JSON

  init() throws {
    var random = SeededRandom.forTest("configuration")
    manifest = RandomModel(config: RandomModel.configuration(layers: 3)).make(&random).0
    json = try JSON.parse(manifest.canonicalBytes)
  }

  /// Each member, a value, and the configuration that has it.
  static let members: [(String, JSON, @Sendable (inout ModelConfiguration) -> Void)] = [
    ("activation", "geluTanh", { $0.activation = .geluTanh }),
    ("activation", "gelu", { $0.activation = .gelu }),
    ("attentionSoftcap", 295_451, { $0.attentionSoftcap = 295_451 }),
    ("biases", ["k_proj", "o_proj", "q_proj"], { $0.biases = [.query, .output, .key] }),
    (
      "biases", ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
      { $0.biases = Set(Projection.allCases) }
    ),
    ("embeddingScale", 131_072, { $0.embeddingScale = 131_072 }),
    ("experts", 8, { $0.experts = 8 }),
    ("expertsPerToken", 2, { $0.expertsPerToken = 2 }),
    ("expertSharesOfAll", true, { $0.expertSharesOfAll = true }),
    ("headNormEpsilon", 9, { $0.headNormEpsilon = 9 }),
    ("localLayers", [0, 2], { $0.localLayers = [2, 0] }),
    ("logitsSoftcap", 1_966_080, { $0.logitsSoftcap = 1_966_080 }),
    ("normalised", true, { $0.normalised = true }),
    ("pooling", "cls", { $0.pooling = .cls }),
    ("pooling", "last", { $0.pooling = .last }),
    ("pooling", "mean", { $0.pooling = .mean }),
    ("ropelessLayers", [1], { $0.ropelessLayers = [1] }),
    ("window", 4096, { $0.window = 4096 }),
  ]

  func edited(_ member: String, _ value: JSON?, in place: String = "config") -> JSON {
    var root = json.object!
    var object = root[place]!.object!
    object[member] = value
    root[place] = .object(object)
    return .object(root)
  }

  func read(_ json: JSON) throws -> ModelManifest { try ModelManifest(bytes: json.canonicalBytes()) }

  func refuses(_ expected: ManifestRejection, _ json: JSON, _ location: SourceLocation = #_sourceLocation) {
    #expect(throws: expected, sourceLocation: location) { try read(json) }
  }

  @Test func absentMembersAreAbsent() throws {
    #expect(try read(json) == manifest)
    for (member, _, _) in ModelConfigurationTests.members { #expect(json["config"]![member] == nil) }
    #expect(json["rope"]!["localFrequencies"] == nil)
    #expect(!manifest.config.isEncoder)
  }

  @Test func presentMembersAreReadAndWritten() throws {
    for (member, value, change) in ModelConfigurationTests.members {
      var wanted = manifest
      change(&wanted.config)
      let bytes = try edited(member, value).canonicalBytes()
      #expect(try ModelManifest(bytes: bytes) == wanted, "\(member)")
      #expect(wanted.canonicalBytes == bytes && wanted.digest != manifest.digest)
    }
    var wanted = manifest
    wanted.localRopeFrequencies = [1, 2, .max]
    let local: JSON = ["0000000000000001", "0000000000000002", "ffffffffffffffff"]
    let bytes = try edited("localFrequencies", local, in: "rope").canonicalBytes()
    #expect(try ModelManifest(bytes: bytes) == wanted && wanted.canonicalBytes == bytes)
    #expect(wanted.frequencies(.local) == [1, 2, .max] && wanted.frequencies(.global) == wanted.ropeFrequencies)
    // All of them at once.
    wanted = manifest
    for (_, _, change) in ModelConfigurationTests.members { change(&wanted.config) }
    #expect(try ModelManifest(bytes: wanted.canonicalBytes) == wanted)
  }

  @Test func statingTheAbsenceIsRefused() {
    let defaults: [(String, JSON)] = [
      ("activation", "silu"), ("biases", []), ("embeddingScale", 16384), ("expertSharesOfAll", false),
      ("localLayers", []), ("normalised", false), ("ropelessLayers", []),
    ]
    for (member, value) in defaults { refuses(.statesDefault("config.\(member)"), edited(member, value)) }
  }

  @Test func everyMemberHasItsType() throws {
    for (member, right, _) in ModelConfigurationTests.members {
      for wrong: JSON in [[:], -1, "x", true, [true], [1, "x"], .null] {
        let place = "config.\(member)"
        let found: ManifestRejection?
        do {
          _ = try read(edited(member, wrong))
          found = nil
        } catch let rejection as ManifestRejection { found = rejection }
        switch (right, wrong) {
        // Integers are judged by ``ModelImage``.
        case (.number, .number), (.bool, .bool): #expect(found == nil)
        case (.string, .string): #expect(found == .unsupported(place, found: "x"))
        case (.array, .array):
          guard case .wrongType(let at, _) = found else {
            Issue.record("\(place) = \(wrong) gives \(String(describing: found))")
            continue
          }
          #expect(at.hasPrefix(place + "["))
        default:
          guard case .wrongType(place, _) = found else {
            Issue.record("\(place) = \(wrong) gives \(String(describing: found))")
            continue
          }
        }
      }
    }
    refuses(.wrongType("rope.localFrequencies", expected: "an array"), edited("localFrequencies", .null, in: "rope"))
    refuses(
      .wrongType("rope.localFrequencies[1]", expected: "16 lower-case hex digits"),
      edited("localFrequencies", ["0123456789abcdef", "0123"], in: "rope"))
  }

  @Test func arraysAscend() {
    for member in ["localLayers", "ropelessLayers"] {
      refuses(.notSorted("config.\(member)[1]"), edited(member, [2, 1]))
      refuses(.notSorted("config.\(member)[2]"), edited(member, [0, 1, 1]))
    }
    refuses(.notSorted("config.biases[1]"), edited("biases", ["q_proj", "k_proj"]))
    refuses(.notSorted("config.biases[1]"), edited("biases", ["q_proj", "q_proj"]))
    refuses(.unsupported("config.biases[0]", found: "lm_head"), edited("biases", ["lm_head"]))
    refuses(.unknown("config.shared_experts"), edited("shared_experts", 1))
    refuses(.unknown("rope.theta"), edited("theta", 1, in: "rope"))
  }

  @Test func sourceFormats() throws {
    for format in ["gguf", "safetensors"] {
      #expect(try read(edited("format", .string(format), in: "source")).source.format == format)
    }
    refuses(.unsupported("source.format", found: "onnx"), edited("format", "onnx", in: "source"))
  }
}
