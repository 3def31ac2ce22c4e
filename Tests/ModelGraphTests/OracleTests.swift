import Digests
import Foundation
import ModelGraph
import Testing

/// The interpreter against Reference/oracle.py, which was written from the specification alone: every
/// intermediate tensor and every sampled token of random models and of the embedded model.
///
/// Needs a python3 with numpy in EVIDENT_PYTHON.
@Suite(.enabled(if: Oracle.python != nil, "EVIDENT_PYTHON names no python3 with numpy"))
struct OracleTests {
  static let shapes: [[String]] = [
    ["--hidden", "48"],
    ["--hidden", "33", "--heads", "4", "--kv-heads", "4", "--head-dim", "2", "--tied", "--vocab", "57"],
    ["--hidden", "64", "--heads", "6", "--kv-heads", "1", "--head-dim", "34", "--massive", "--layers", "3"],
    [
      "--hidden", "40", "--heads", "2", "--kv-heads", "2", "--head-dim", "256", "--layers", "1", "--fraction-bits", "8",
    ],
    ["--hidden", "96", "--heads", "4", "--kv-heads", "2", "--head-dim", "128", "--intermediate", "700", "--tied"],
    ["--hidden", "20", "--head-dim", "64", "--massive", "--fraction-bits", "30", "--vocab", "1000"],
  ]

  @Test(arguments: shapes.indices) func sameTraceAndTokens(shape: Int) throws {
    var random = SeededRandom.forTest("oracle \(shape)")
    let pack = FileManager.default.temporaryDirectory.appending(path: "evident-oracle-\(UUID().uuidString).evpack")
    defer { try? FileManager.default.removeItem(at: pack) }
    let seed = Int.random(in: 0..<(1 << 32), using: &random)
    let made = try Oracle.run(["make-random", pack.path(), "--seed", "\(seed)"] + OracleTests.shapes[shape])
    let image = try Oracle.image(pack)
    #expect(made["model"]?.string == image.manifest.digest.hex)

    let vocabulary = Int32(image.manifest.config.vocabularySize)
    let prompt = (0..<Int.random(in: 1...40, using: &random)).map { _ in
      Int32.random(in: 0..<vocabulary, using: &random)
    }
    try compare(pack, image, prompt, count: 24, parametersLike: shape, &random)
  }

  /// Every architecture with a random choice of what it allows, each weight in one of the formats.
  @Test(arguments: Architectures.all.keys.sorted()) func everyArchitecture(_ architecture: String) throws {
    var random = SeededRandom.forTest("oracle \(architecture)")
    let pack = FileManager.default.temporaryDirectory.appending(path: "evident-oracle-\(UUID().uuidString).evpack")
    defer { try? FileManager.default.removeItem(at: pack) }
    let seed = Int.random(in: 0..<(1 << 32), using: &random)
    let made = try Oracle.run(
      ["make-random", pack.path(), "--seed", "\(seed)", "--architecture", architecture, "--vary"]
        + ["--weights", "mixed", "--hidden", "64", "--heads", "4", "--head-dim", "16", "--intermediate", "96"]
        + ["--layers", "3", "--rotating", architecture == "phi3" ? "10" : "16"])
    let image = try Oracle.image(pack)
    #expect(made["model"]?.string == image.manifest.digest.hex && image.manifest.architecture == architecture)
    #expect(Set(image.manifest.tensors.map(\.kind)).count >= 4)
    let vocabulary = Int32(image.manifest.config.vocabularySize)
    let prompt = (0..<Int.random(in: 14...30, using: &random)).map { _ in
      Int32.random(in: 0..<vocabulary, using: &random)
    }
    if image.manifest.config.isEncoder {
      for dimensions in [64, Int.random(in: 1...63, using: &random)] {
        try compareEmbedding(pack, image, prompt, dimensions: dimensions)
      }
    } else {
      try compare(pack, image, prompt, count: 6, parametersLike: Int.random(in: 0..<6, using: &random), &random)
    }
  }

  private func compareEmbedding(_ pack: URL, _ image: ModelImage, _ tokens: [Int32], dimensions: Int) throws {
    let answer = try Oracle.run([
      "embed", pack.path(), "--tokens", tokens.map { String($0) }.joined(separator: ","), "--dimensions",
      "\(dimensions)",
    ])
    let config = image.manifest.config
    var trace = TraceDigests()
    let residuals = try ReferenceInterpreter(image: image).encode(tokens) { trace.record($0) }
    let vector = Embedding.vector(
      residuals, pooling: try #require(config.pooling), normalised: config.normalised, dimensions: dimensions,
      fractionBits: config.residualFractionBits)
    #expect(answer["vector"]?.array?.compactMap(\.integer) == vector.values.map { Int($0) })
    #expect(answer["exponent"]?.integer == vector.exponent)
    try expectEqual(trace.digests, answer, image, tokens)
  }

  /// Held-out conversations, cut within the answer, and what the model makes of them.
  @Test func embeddedModelHasTheSameTraceAndTokens() throws {
    var random = SeededRandom.forTest()
    let pack = Oracle.root.appending(path: "Sources/CEmbeddedModel/evident-tiny.pack")
    let image = try Oracle.image(pack)
    let file = Oracle.root.appending(path: "Reference/tests/heldout.json")
    let conversations = try #require(try JSON.parse([UInt8](Data(contentsOf: file))).array)
    try #require(conversations.count > 100)
    for n in 0..<20 {
      let ids = try #require(conversations[n * 5].array).compactMap(\.integer).map { Int32($0) }
      try compare(pack, image, Array(ids.prefix(ids.count * 2 / 3)), count: 8, parametersLike: n % 6, &random)
    }
  }

  /// Both sides answer the prompt; every token and every named value over all positions must be equal.
  private func compare(
    _ pack: URL, _ image: ModelImage, _ prompt: [Int32], count: Int, parametersLike shape: Int,
    _ random: inout SeededRandom
  ) throws {
    let parameters = try randomParameters(shape, Int32(image.manifest.config.vocabularySize), &random)
    let nonce = (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    let answer = try Oracle.run([
      "run", pack.path(), "--tokens", prompt.map { String($0) }.joined(separator: ","), "--max-tokens", "\(count)",
      "--parameters", oracleParameters(parameters).text(), "--parameters-digest", parameters.digest.description,
      "--seed", "\(parameters.seed ?? 0)", "--nonce", Hex.string(nonce),
    ])
    #expect(answer["model"]?.string == image.manifest.digest.hex)
    let (tokens, trace) = try generate(image, prompt, parameters, nonce, count: count)
    #expect(answer["tokens"]?.array?.compactMap(\.integer) == tokens.map { Int($0) })
    try expectEqual(trace, answer, image, prompt)
  }

  private func expectEqual(
    _ trace: [String: Digest<Value>], _ answer: JSON, _ image: ModelImage, _ prompt: [Int32]
  ) throws {
    let wanted = try #require(answer["trace"]?.object)
    #expect(wanted.count == image.graph.nodes.count && wanted.count == trace.count)
    // The first difference says most; everything after it differs too.
    for node in image.graph.nodes {
      try #require(
        trace[node.name]?.hex == wanted[node.name]?.string,
        "\(node.name) of \(image.manifest.architecture) after \(prompt)")
    }
  }

  private func randomParameters(
    _ shape: Int, _ vocabulary: Int32, _ random: inout SeededRandom
  ) throws -> SamplingParameters {
    try SamplingParameters(
      temperatureMicros: shape == 0 ? 0 : Int.random(in: 300_000...2_000_000, using: &random),
      topK: shape % 2 == 1 ? Int.random(in: 1...50, using: &random) : 0,
      topPMicros: shape % 3 == 2 ? Int.random(in: 1...1_000_000, using: &random) : 1_000_000,
      minPMicros: shape == 4 ? Int.random(in: 0...100_000, using: &random) : 0,
      repetitionPenaltyMicros: Int.random(in: 800_000...1_500_000, using: &random),
      frequencyPenaltyMicros: Int.random(in: -200_000...500_000, using: &random),
      presencePenaltyMicros: Int.random(in: -200_000...500_000, using: &random),
      logitBias: [.init(token: .random(in: 0..<vocabulary, using: &random), micros: 1_500_000)], seed: random.next(),
      maxTokens: 24)
  }

  /// The members that the oracle's command line takes.
  private func oracleParameters(_ p: SamplingParameters) -> JSON {
    var bias = JSONObject()
    for entry in p.logitBias { bias[String(entry.token)] = .integer(entry.micros) }
    return [
      "temperatureMicros": .integer(p.temperatureMicros), "topK": .integer(p.topK),
      "topPMicros": .integer(p.topPMicros), "minPMicros": .integer(p.minPMicros),
      "repetitionPenaltyMicros": .integer(p.repetitionPenaltyMicros),
      "frequencyPenaltyMicros": .integer(p.frequencyPenaltyMicros),
      "presencePenaltyMicros": .integer(p.presencePenaltyMicros), "logitBias": .object(bias),
    ]
  }

  /// Generation as section 7 describes it, without stop strings.
  private func generate(
    _ image: ModelImage, _ prompt: [Int32], _ parameters: SamplingParameters, _ nonce: [UInt8], count: Int
  ) throws -> (tokens: [Int32], trace: [String: Digest<Value>]) {
    let interpreter = ReferenceInterpreter(image: image)
    let sampler = Sampler(
      parameters: parameters,
      streamKey: StreamKey(model: image.manifest.digest, inputTokens: prompt, parameters: parameters, nonce: nonce))
    var trace = TraceDigests()
    var state = interpreter.makeState()
    var history = SamplerState(prompt: prompt)
    var output: [Int32] = []
    var pending = prompt
    while true {
      let logits = try interpreter.evaluate(pending, state: &state, logits: .all) { trace.record($0) }
      let id = sampler.next(logits: try #require(logits.last), state: history)
      output.append(id)
      history.append(id)
      if output.count == count || image.manifest.tokens.endOfSequence.contains(id) { return (output, trace.digests) }
      pending = [id]
    }
  }
}

/// The Python implementation as a process.
enum Oracle {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let python = ProcessInfo.processInfo.environment["EVIDENT_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }

  struct Failure: Error, CustomStringConvertible { let description: String }

  static func run(_ arguments: [String]) throws -> JSON {
    let process = Process()
    process.executableURL = URL(filePath: python ?? "python3")
    process.arguments = ["-B", root.appending(path: "Reference/oracle.py").path()] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? .init())
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: "oracle.py \(arguments) failed") }
    return try JSON.parse(bytes)
  }

  /// Reads a pack (docs/spec/model.md) of a trusted writer: only what is needed here.
  static func image(_ pack: URL) throws -> ModelImage {
    let bytes = [UInt8](try Data(contentsOf: pack))
    var reader = ByteReader(bytes)
    #expect(Array(try reader.read(count: 8)) == Array("EVPACK1\n".utf8))
    let count = try reader.readInteger(UInt32.self)
    _ = try reader.readInteger(UInt32.self)
    let entries = try (0..<count).map { _ in
      let digest = Array(try reader.read(count: 32))
      let offset = Int(try reader.readInteger(UInt64.self))
      let length = Int(try reader.readInteger(UInt64.self))
      let content = Array(bytes[offset..<(offset + length)])
      #expect(Digest<ModelManifest>(of: content).bytes == digest)
      return content
    }
    return try ModelImage(manifest: ModelManifest(bytes: entries[0]), weights: ModelBytes(copying: entries[1]))
  }
}
