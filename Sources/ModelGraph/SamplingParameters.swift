public import Digests

/// How the next token is chosen, as applied: after defaults and clamping, in integers.
///
/// A value of this type is in range; there is no other way to make one.
///
/// Units: "micros" are millionths.
///
/// Source: docs/spec/arithmetic.md, section 7; members and limits in docs/spec/evidence.md, section 4.
public struct SamplingParameters: Sendable {
  /// Added to the logit of one token.
  public struct LogitBias: Sendable, Hashable {
    public let token: Int32
    public let micros: Int

    public init(token: Int32, micros: Int) {
      self.token = token
      self.micros = micros
    }
  }

  /// 0 chooses the most likely token and draws no random bits.
  public let temperatureMicros: Int
  /// 0 keeps all.
  public let topK: Int
  /// 1000000 keeps all.
  public let topPMicros: Int
  /// 0 keeps all.
  public let minPMicros: Int
  /// 1000000 changes nothing.
  public let repetitionPenaltyMicros: Int
  public let frequencyPenaltyMicros: Int
  public let presencePenaltyMicros: Int
  /// Strictly ascending by token.
  public let logitBias: [LogitBias]
  /// What the caller asked for; nil counts as 0 in the seed stream.
  public let seed: UInt64?
  /// The most tokens that may be generated, the end-of-sequence token included.
  public let maxTokens: Int
  /// In the order of the request.
  public let stop: [String]

  /// The most likely token each time, until the model ends or the limit of this format is reached.
  public static let greedy = SamplingParameters(
    unchecked: (0, 0, 1_000_000, 0, 1_000_000, 0, 0, [], nil, maxTokensMax, []))

  /// - Throws: ``FieldError`` naming the first member that is out of range.
  public init(
    temperatureMicros: Int = 0, topK: Int = 0, topPMicros: Int = 1_000_000, minPMicros: Int = 0,
    repetitionPenaltyMicros: Int = 1_000_000, frequencyPenaltyMicros: Int = 0, presencePenaltyMicros: Int = 0,
    logitBias: [LogitBias] = [], seed: UInt64? = nil, maxTokens: Int, stop: [String] = []
  ) throws(FieldError) {
    let candidate = SamplingParameters(
      unchecked: (
        temperatureMicros, topK, topPMicros, minPMicros, repetitionPenaltyMicros, frequencyPenaltyMicros,
        presencePenaltyMicros, logitBias, seed, maxTokens, stop
      ))
    try self.init(json: candidate.json)
  }

  private typealias Members = (
    temperatureMicros: Int, topK: Int, topPMicros: Int, minPMicros: Int, repetitionPenaltyMicros: Int,
    frequencyPenaltyMicros: Int, presencePenaltyMicros: Int, logitBias: [LogitBias], seed: UInt64?,
    maxTokens: Int, stop: [String]
  )

  private init(unchecked m: Members) {
    temperatureMicros = m.temperatureMicros
    topK = m.topK
    topPMicros = m.topPMicros
    minPMicros = m.minPMicros
    repetitionPenaltyMicros = m.repetitionPenaltyMicros
    frequencyPenaltyMicros = m.frequencyPenaltyMicros
    presencePenaltyMicros = m.presencePenaltyMicros
    logitBias = m.logitBias
    seed = m.seed
    maxTokens = m.maxTokens
    stop = m.stop
  }
}

extension SamplingParameters {
  /// Token ids and vocabularies of this format stay below 2^20.
  public static let tokenMax = 1 << 20 - 1
  public static let maxTokensMax = 1 << 20
  public static let logitBiasCountMax = 4096
  public static let stopCountMax = 16
  public static let stopBytesMax = 1024

  /// Reads the object that ``json`` writes: every member present, none unknown, all in range.
  ///
  /// - Parameter path: where the object stands, for messages.
  public init(json: JSON, path: String = "parameters") throws(FieldError) {
    var fields = try JSONFields(json, path: path)
    temperatureMicros = try fields.integer("temperatureMicros", 0...2_000_000)
    guard temperatureMicros == 0 || temperatureMicros >= 1000 else {
      throw .outOfRange(path: fields.path(of: "temperatureMicros"), value: temperatureMicros, range: 1000...2_000_000)
    }
    topK = try fields.integer("topK", 0...SamplingParameters.tokenMax)
    topPMicros = try fields.integer("topPMicros", 1...1_000_000)
    minPMicros = try fields.integer("minPMicros", 0...1_000_000)
    repetitionPenaltyMicros = try fields.integer("repetitionPenaltyMicros", 100_000...10_000_000)
    frequencyPenaltyMicros = try fields.integer("frequencyPenaltyMicros", -2_000_000...2_000_000)
    presencePenaltyMicros = try fields.integer("presencePenaltyMicros", -2_000_000...2_000_000)
    logitBias = try SamplingParameters.readLogitBias(&fields)
    seed = try SamplingParameters.readSeed(&fields)
    maxTokens = try fields.integer("maxTokens", 1...SamplingParameters.maxTokensMax)
    stop = try SamplingParameters.readStop(&fields)
    try fields.finish()
  }

  private static func readLogitBias(_ fields: inout JSONFields) throws(FieldError) -> [LogitBias] {
    var out: [LogitBias] = []
    for (i, item) in try fields.array("logitBias", countMax: logitBiasCountMax).enumerated() {
      var entry = try JSONFields(item, path: fields.path(of: "logitBias") + "[\(i)]")
      let token = try entry.integer("token", 0...tokenMax)
      if let last = out.last, token <= last.token {
        throw .notAllowed(path: entry.path(of: "token"), value: String(token), wanted: "greater than the one before")
      }
      out.append(LogitBias(token: Int32(token), micros: try entry.integer("micros", -100_000_000...100_000_000)))
      try entry.finish()
    }
    return out
  }

  private static func readSeed(_ fields: inout JSONFields) throws(FieldError) -> UInt64? {
    let value = try fields.take("seed")
    if value.isNull { return nil }
    let path = fields.path(of: "seed")
    guard let text = value.string else { throw .wrongType(path: path, wanted: "a string or null", found: value.kind) }
    guard let seed = UInt64(text), String(seed) == text else {
      throw .notAllowed(path: path, value: String(text.prefix(40)), wanted: "a decimal integer below 2^64")
    }
    return seed
  }

  private static func readStop(_ fields: inout JSONFields) throws(FieldError) -> [String] {
    var out: [String] = []
    for (i, item) in try fields.array("stop", countMax: stopCountMax).enumerated() {
      let path = fields.path(of: "stop") + "[\(i)]"
      let text = try JSONFields.string(item, path: path, bytesMax: stopBytesMax)
      guard !text.utf8.isEmpty else { throw .outOfRange(path: path + ".bytes", value: 0, range: 1...stopBytesMax) }
      out.append(text)
    }
    return out
  }

  /// The object that ``init(json:path:)`` reads; its canonical bytes are what is digested.
  public var json: JSON {
    [
      "temperatureMicros": .integer(temperatureMicros),
      "topK": .integer(topK),
      "topPMicros": .integer(topPMicros),
      "minPMicros": .integer(minPMicros),
      "repetitionPenaltyMicros": .integer(repetitionPenaltyMicros),
      "frequencyPenaltyMicros": .integer(frequencyPenaltyMicros),
      "presencePenaltyMicros": .integer(presencePenaltyMicros),
      "logitBias": .array(logitBias.map { ["token": .integer(Int($0.token)), "micros": .integer($0.micros)] }),
      "seed": seed.map { .string(String($0)) } ?? .null,
      "maxTokens": .integer(maxTokens),
      "stop": .array(stop.map { .string($0) }),
    ]
  }

  /// What the seed stream is bound to.
  ///
  /// Source: docs/spec/arithmetic.md, section 7, "Random bits".
  public var digest: Digest<SamplingParameters> {
    guard let bytes = try? json.canonicalBytes() else { preconditionFailure("every member is a small integer") }
    return DomainTag.parameters.digest(bytes)
  }
}

extension SamplingParameters: Equatable {
  /// Stop strings are compared byte by byte: two spellings of one text are different parameters.
  public static func == (a: SamplingParameters, b: SamplingParameters) -> Bool { a.json == b.json }
}

extension SamplingParameters {
  /// The same with at most `count` tokens: what remains of the context bounds every answer.
  public func limited(toTokens count: Int) -> SamplingParameters {
    guard maxTokens > count, count >= 1 else { return self }
    return SamplingParameters(
      unchecked: (
        temperatureMicros, topK, topPMicros, minPMicros, repetitionPenaltyMicros, frequencyPenaltyMicros,
        presencePenaltyMicros, logitBias, seed, count, stop
      ))
  }
}
