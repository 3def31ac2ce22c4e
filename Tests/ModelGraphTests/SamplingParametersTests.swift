import Digests
import ModelGraph
import Testing

@Suite struct SamplingParametersTests {
  let full = try! SamplingParameters(
    temperatureMicros: 700_000, topK: 40, topPMicros: 950_000, minPMicros: 50_000, repetitionPenaltyMicros: 1_100_000,
    frequencyPenaltyMicros: -500_000, presencePenaltyMicros: 250_000,
    logitBias: [.init(token: 3, micros: -100_000_000), .init(token: 17, micros: 1)],
    seed: .max, maxTokens: 64, stop: ["\n\n", "END"])

  @Test func readsWhatItWrites() throws {
    for parameters in [full, .greedy] {
      let bytes = try parameters.json.canonicalBytes()
      #expect(try SamplingParameters(json: JSON.parse(bytes)) == parameters)
    }
    #expect(full.json["seed"]?.string == "18446744073709551615")
    #expect(full.digest != SamplingParameters.greedy.digest)
  }

  @Test func spellingsOfOneTextAreDifferentParameters() throws {
    let a = try SamplingParameters(maxTokens: 1, stop: ["\u{e9}"])
    let b = try SamplingParameters(maxTokens: 1, stop: ["e\u{301}"])
    #expect(a != b)
    #expect(a.digest != b.digest)
  }

  @Test func refusesWhatIsOutOfRange() {
    func refused(_ path: String, _ value: Int, _ range: ClosedRange<Int>, _ make: () throws -> SamplingParameters) {
      #expect(throws: FieldError.outOfRange(path: "parameters." + path, value: value, range: range)) { try make() }
    }
    refused("temperatureMicros", 999, 1000...2_000_000) { try .init(temperatureMicros: 999, maxTokens: 1) }
    refused("temperatureMicros", -1, 0...2_000_000) { try .init(temperatureMicros: -1, maxTokens: 1) }
    refused("topPMicros", 0, 1...1_000_000) { try .init(topPMicros: 0, maxTokens: 1) }
    refused("maxTokens", 0, 1...1_048_576) { try .init(maxTokens: 0) }
    refused("stop[1].bytes", 0, 1...1024) { try .init(maxTokens: 1, stop: ["a", ""]) }
    #expect(
      throws: FieldError.notAllowed(
        path: "parameters.logitBias[1].token", value: "3", wanted: "greater than the one before")
    ) {
      try SamplingParameters(logitBias: [.init(token: 3, micros: 0), .init(token: 3, micros: 1)], maxTokens: 1)
    }
  }

  @Test func refusesMissingUnknownAndMisspelt() throws {
    for key in full.json.object!.keys {
      var object = full.json.object!
      object[key] = nil
      #expect(throws: FieldError.missing(path: "p." + key)) { try SamplingParameters(json: .object(object), path: "p") }
    }
    var object = full.json.object!
    object["topJ"] = 1
    #expect(throws: FieldError.unknown(path: "parameters.topJ")) { try SamplingParameters(json: .object(object)) }
    object["topJ"] = nil
    object["seed"] = "007"
    #expect(throws: FieldError.self) { try SamplingParameters(json: .object(object)) }
    object["seed"] = nil
    object["seed"] = .null
    object["topK"] = try JSON.parse("1.0")
    #expect(throws: FieldError.notAllowed(path: "parameters.topK", value: "1.0", wanted: "a plain integer")) {
      try SamplingParameters(json: .object(object))
    }
  }
}
