import Digests
import Transparency

/// What must happen to every field of the formats when it is tampered with.
///
/// `[]` stands for the elements of an array. A field that is missing here fails the test, and so does
/// an entry without a field.
enum TamperManifest {
  /// A new value for a field, and every failure that must follow, in order.
  struct Mutation {
    let value: JSON
    let failures: [String]
    init(_ value: JSON, _ failures: String...) {
      self.value = value
      self.failures = failures
    }
    init(_ value: JSON, failures: [String]) {
      self.value = value
      self.failures = failures
    }
  }

  struct Entry {
    var mutations: [Mutation]
    /// For elements of arrays; members of objects follow the general rule.
    var removed: [String]?
    var duplicated: [String]?
    init(_ mutations: Mutation..., removed: [String]? = nil, duplicated: [String]? = nil) {
      self.mutations = mutations
      self.removed = removed
      self.duplicated = duplicated
    }
  }

  private static let s = "statementStructure: in the statement, "
  private static let f = "fileStructure: in the evidence file, "
  private static let digest = JSON.string("sha256:" + String(repeating: "ab", count: 32))
  private static let hex = JSON.string(String(repeating: "ab", count: 32))
  private static let badDigest = JSON.string("sha256:" + String(repeating: "AB", count: 32))
  private static func notADigest(_ path: String) -> String {
    "\(s)\(path) is \"sha256:\(String(repeating: "AB", count: 32))\"; it must be sha256: and 64 lower-case hex digits"
  }
  private static func notALog(_ key: String, _ reason: String) -> Mutation {
    Mutation(
      .string(key), "\(s)predicate.promise.log is \"\(key)\"; it must be the verifier key of a log: \(reason)")
  }
  private static let witness = TinyLog.witnesses[0].verifierKey.description
  /// Another value that is allowed as such: only a new run of the model can tell.
  private static func resampled(_ value: JSON) -> Mutation { Mutation(value, "replay.tokenDiffers") }
  private static func range(_ path: String, _ value: Int, _ range: ClosedRange<Int>) -> Mutation {
    Mutation(.integer(value), "\(s)\(path) is \(value); it must be in \(range.lowerBound)...\(range.upperBound)")
  }
  private static func type(_ path: String, _ value: JSON, _ wanted: String) -> Mutation {
    Mutation(value, "\(s)\(path) must be \(wanted), and is \(value.kind)")
  }
  /// What only the node's word supports. Signed anew by the node, it is a different statement and not a
  /// lie that the rest of the evidence could show.
  private static func wordOnly(_ value: JSON) -> Mutation { Mutation(value) }

  /// The fields of the statement, and what follows when the node signs the altered statement itself.
  static let statement: [String: Entry] = [
    "_type": Entry(
      Mutation(
        "https://in-toto.io/Statement/v2",
        s + "_type is \"https://in-toto.io/Statement/v2\"; it must be https://in-toto.io/Statement/v1")),
    "subject": Entry(
      type("subject", "x", "an array"), Mutation([], s + "subject.count is 0; it must be in 1...1")),
    "subject[]": Entry(
      Mutation(7, s + "subject[0] must be an object, and is a number"),
      removed: [s + "subject.count is 0; it must be in 1...1"],
      duplicated: [s + "subject.count is 2; it must be in 0...1"]),
    "subject[].name": Entry(
      Mutation("chatcmpl-other", "subjectBinding.subjectNameMismatch"),
      Mutation("a b", s + "subject[0].name is \"a b\"; it must be 1 to 128 letters, digits and -_.:")),
    "subject[].digest": Entry(Mutation(.null, s + "subject[0].digest must be an object, and is null")),
    "subject[].digest.sha256": Entry(
      Mutation(hex, "subjectBinding.subjectDigestMismatch"),
      Mutation("abc", s + "subject[0].digest.sha256 is \"abc\"; it must be lower-case hex of 32 bytes")),
    "predicateType": Entry(
      Mutation(
        "https://evident.dev/answer/v2",
        s + "predicateType is \"https://evident.dev/answer/v2\"; it must be https://evident.dev/answer/v1")),
    "predicate": Entry(type("predicate", [], "an object")),
    "predicate.receiptId": Entry(
      Mutation("rcpt_other", "streamChain.streamHeadMismatch"),
      Mutation("", s + "predicate.receiptId is \"\"; it must be 1 to 128 letters, digits and -_.:")),
    "predicate.responseId": Entry(
      Mutation("chatcmpl-other", "subjectBinding.subjectNameMismatch"), type("predicate.responseId", 1, "a string")),
    "predicate.endpoint": Entry(
      Mutation("completions", "promptCommitment.endpointMismatch"),
      Mutation(
        "embeddings", s + "predicate.endpoint is \"embeddings\"; it must be chat.completions or completions")),
    "predicate.model": Entry(type("predicate.model", "tiny", "an object")),
    "predicate.model.manifest": Entry(
      Mutation(digest, "modelManifest.modelDigestMismatch"),
      Mutation(badDigest, notADigest("predicate.model.manifest"))),
    "predicate.model.arithmetic": Entry(
      Mutation(
        "evident.int.v2", s + "predicate.model.arithmetic is \"evident.int.v2\"; it must be evident.int.v1")),
    "predicate.model.requestedName": Entry(wordOnly("huge"), type("predicate.model.requestedName", 1, "a string")),
    "predicate.input": Entry(type("predicate.input", 1, "an object")),
    "predicate.input.tokenCount": Entry(
      Mutation(5, "usageCounts.usageMismatch", "inputTokens.inputTokenCountMismatch"),
      range("predicate.input.tokenCount", 0, 1...1_048_576)),
    "predicate.input.tokenCommitment": Entry(
      Mutation(digest, "inputTokens.inputTokensMismatch"),
      Mutation(badDigest, notADigest("predicate.input.tokenCommitment"))),
    "predicate.input.promptCommitment": Entry(
      Mutation(digest, "promptCommitment.promptMismatch"),
      Mutation(badDigest, notADigest("predicate.input.promptCommitment"))),
    "predicate.input.truncation": Entry(
      Mutation("left", s + "predicate.input.truncation is \"left\"; it must be none")),
    "predicate.parameters": Entry(type("predicate.parameters", .null, "an object")),
    "predicate.parameters.temperatureMicros": Entry(
      resampled(1_299_000), range("predicate.parameters.temperatureMicros", 2_000_001, 0...2_000_000),
      range("predicate.parameters.temperatureMicros", 1, 1000...2_000_000)),
    "predicate.parameters.topK": Entry(resampled(49), range("predicate.parameters.topK", -1, 0...1_048_575)),
    "predicate.parameters.topPMicros": Entry(
      resampled(979_999), range("predicate.parameters.topPMicros", 0, 1...1_000_000)),
    "predicate.parameters.minPMicros": Entry(
      resampled(999), range("predicate.parameters.minPMicros", 1_000_001, 0...1_000_000)),
    "predicate.parameters.repetitionPenaltyMicros": Entry(
      resampled(1_050_001), range("predicate.parameters.repetitionPenaltyMicros", 99_999, 100_000...10_000_000)),
    "predicate.parameters.frequencyPenaltyMicros": Entry(
      resampled(-100_000), range("predicate.parameters.frequencyPenaltyMicros", -2_000_001, -2_000_000...2_000_000)),
    "predicate.parameters.presencePenaltyMicros": Entry(
      resampled(50_001), range("predicate.parameters.presencePenaltyMicros", 2_000_001, -2_000_000...2_000_000)),
    "predicate.parameters.logitBias": Entry(resampled([]), type("predicate.parameters.logitBias", [:], "an array")),
    "predicate.parameters.logitBias[]": Entry(
      Mutation(1, s + "predicate.parameters.logitBias[0] must be an object, and is a number"),
      removed: ["replay.tokenDiffers"],
      duplicated: [s + "predicate.parameters.logitBias[1].token is \"0\"; it must be greater than the one before"]),
    "predicate.parameters.logitBias[].token": Entry(
      resampled(1), range("predicate.parameters.logitBias[0].token", -1, 0...1_048_575),
      Mutation(9, s + "predicate.parameters.logitBias[1].token is \"9\"; it must be greater than the one before")),
    "predicate.parameters.logitBias[].micros": Entry(
      resampled(-99_999_999),
      range("predicate.parameters.logitBias[0].micros", 100_000_001, -100_000_000...100_000_000)),
    "predicate.parameters.seed": Entry(
      resampled("12"), resampled(.null),
      Mutation("012", s + "predicate.parameters.seed is \"012\"; it must be a decimal integer below 2^64"),
      type("predicate.parameters.seed", 11, "a string or null")),
    "predicate.parameters.maxTokens": Entry(
      Mutation(25, "finish.tokenLimitNotReached", "replay.tokenDiffers"),
      Mutation(23, "finish.tokenLimitPassed", "replay.tokenDiffers"),
      Mutation(
        90, "parameters.contextExceeded", "finish.tokenLimitNotReached", "replay.tokenDiffers"),
      range("predicate.parameters.maxTokens", 0, 1...1_048_576)),
    "predicate.parameters.stop": Entry(resampled([]), type("predicate.parameters.stop", "###", "an array")),
    "predicate.parameters.stop[]": Entry(
      resampled("never heard"), Mutation("", s + "predicate.parameters.stop[0].bytes is 0; it must be in 1...1024"),
      removed: ["replay.tokenDiffers"], duplicated: ["replay.tokenDiffers"]),
    "predicate.nonce": Entry(type("predicate.nonce", .null, "an object")),
    "predicate.nonce.source": Entry(
      Mutation("node", "nonceBinding.nodeNonceBesideSeed"),
      Mutation(
        "none",
        s + "predicate.nonce.value is \"\(String(repeating: "c1", count: 32))\"; it must be lower-case hex of 0 bytes")),
    "predicate.nonce.value": Entry(
      Mutation(hex, "nonceBinding.nonceNotExpected", "replay.tokenDiffers"),
      Mutation("", s + "predicate.nonce.value is \"\"; it must be lower-case hex of 1 to 64 bytes")),
    "predicate.output": Entry(type("predicate.output", "x", "an object")),
    "predicate.output.tokenCount": Entry(
      Mutation(23, "usageCounts.usageMismatch", "outputTokens.outputTokenCountMismatch"),
      range("predicate.output.tokenCount", -1, 0...1_048_576)),
    "predicate.output.tokenCommitment": Entry(
      Mutation(digest, "subjectBinding.subjectDigestMismatch", "outputTokens.outputTokensMismatch"),
      Mutation(badDigest, notADigest("predicate.output.tokenCommitment"))),
    "predicate.output.textCommitment": Entry(
      Mutation(digest, "textCommitment.textMismatch"),
      Mutation(badDigest, notADigest("predicate.output.textCommitment"))),
    "predicate.output.finishReason": Entry(
      Mutation("stop", s + "predicate.output.finishDetail is \"tokenLimit\"; it must be a detail of stop"),
      Mutation(
        "tired", s + "predicate.output.finishReason is \"tired\"; it must be stop or length or cancelled")),
    "predicate.output.finishDetail": Entry(
      Mutation(
        "endOfSequence", s + "predicate.output.finishDetail is \"endOfSequence\"; it must be a detail of length")),
    "predicate.stream": Entry(type("predicate.stream", .null, "an object")),
    "predicate.stream.deliveredTokens": Entry(
      Mutation(23, "usageCounts.deliveredLessThanGenerated", "streamChain.streamHeadMismatch"),
      Mutation(25, "usageCounts.deliveredMoreThanGenerated"),
      range("predicate.stream.deliveredTokens", -1, 0...1_048_576)),
    "predicate.stream.head": Entry(
      Mutation(digest, "streamChain.streamHeadMismatch"), Mutation(badDigest, notADigest("predicate.stream.head"))),
    "predicate.usage": Entry(type("predicate.usage", 3, "an object")),
    "predicate.usage.promptTokens": Entry(
      Mutation(1, "usageCounts.usageMismatch"), range("predicate.usage.promptTokens", 0, 1...1_048_576)),
    "predicate.usage.completionTokens": Entry(
      Mutation(1, "usageCounts.usageMismatch"), range("predicate.usage.completionTokens", -1, 0...1_048_576)),
    "predicate.usage.totalTokens": Entry(
      Mutation(1, "usageCounts.usageMismatch"), range("predicate.usage.totalTokens", 0, 1...2_097_152)),
    "predicate.price": Entry(type("predicate.price", 0, "null")),
    "predicate.promise": Entry(wordOnly(.null), type("predicate.promise", "soon", "an object")),
    "predicate.promise.log": Entry(
      wordOnly(.string(TinyLog.otherLog.verifierKey.description)),
      notALog("x", "a key is written name+key ID+key"), notALog(witness, "a key of type 0x04 is a witness's")),
    "predicate.promise.loggedBy": Entry(
      wordOnly("2026-02-01T00:00:00Z"), wordOnly(.string(TinyNode.time)),
      Mutation("2026-01-31T23:59:58Z", "logTime.promiseBeforeStatement"),
      Mutation(
        "2026-02-01",
        s + "predicate.promise.loggedBy is \"2026-02-01\"; it must be a UTC time such as 2026-01-31T23:59:59Z")),
    "predicate.node": Entry(type("predicate.node", .null, "an object")),
    "predicate.node.publicKey": Entry(
      Mutation(hex, "signature.signatureInvalid", "keyBinding.keyIDMismatch"),
      Mutation(
        .string("01" + String(repeating: "00", count: 31)),
        s
          + "predicate.node.publicKey is \"01\(String(repeating: "00", count: 31))\"; it must be a key that is not of small order"
      )),
    "predicate.node.software": Entry(wordOnly("evident 9"), type("predicate.node.software", .null, "a string")),
    "predicate.time": Entry(
      wordOnly("2026-02-01T00:00:00Z"),
      Mutation(
        "2026-02-29T00:00:00Z",
        s + "predicate.time is \"2026-02-29T00:00:00Z\"; it must be a UTC time such as 2026-01-31T23:59:59Z")),
  ]

  /// The fields of envelope and evidence file, and what follows. Whatever happens to the model
  /// manifest, its digest shows it; its fields need no entries.
  static let file: [String: Entry] = envelopeAndFile.merging(keys) { _, new in new }

  /// Tampers that leave a file which proves less and says nothing false: the failures are none.
  static let takesAway: Set<String> = ["log = null", "keys = []", "without keys[]"]

  private static let envelopeAndFile: [String: Entry] = [
    "schema": Entry(
      Mutation("evident.evidence.v2", f + "schema is \"evident.evidence.v2\"; it must be evident.evidence.v1")),
    "receipt": Entry(Mutation(.null, f + "receipt must be an object, and is null")),
    "receipt.payload": Entry(
      Mutation("e30=", s + "_type is missing"),
      Mutation("e30", f + "receipt.payload is \"e30\"; it must be padded base64 in its one spelling"),
      Mutation("", "statementStructure: the statement cannot be read: JSON ends in the middle of a value")),
    "receipt.payloadType": Entry(
      Mutation(
        "application/json",
        f + "receipt.payloadType is \"application/json\"; it must be application/vnd.in-toto+json")),
    "receipt.signatures": Entry(
      Mutation([], f + "receipt.signatures.count is 0; it must be in 1...1"),
      Mutation(.null, f + "receipt.signatures must be an array, and is null")),
    "receipt.signatures[]": Entry(
      Mutation(.null, f + "receipt.signatures[0] must be an object, and is null"),
      removed: [f + "receipt.signatures.count is 0; it must be in 1...1"],
      duplicated: [f + "receipt.signatures.count is 2; it must be in 0...1"]),
    "receipt.signatures[].keyid": Entry(
      Mutation(hex, "keyBinding.keyIDMismatch", "inclusion.notIncluded"),
      Mutation("", f + "receipt.signatures[0].keyid is \"\"; it must be lower-case hex of 32 bytes")),
    "receipt.signatures[].sig": Entry(
      Mutation(
        .string(String(repeating: "A", count: 86) + "=="), "signature.signatureInvalid", "inclusion.notIncluded"),
      Mutation("AAAA", f + "receipt.signatures[0].sig.bytes is 3; it must be in 64...64"),
      Mutation(
        .string(String(repeating: "A", count: 85) + "B=="),
        f
          + "receipt.signatures[0].sig is \"\(String(repeating: "A", count: 40))\"; it must be padded base64 in its one spelling"
      )),
    "opening": Entry(Mutation("x", f + "opening must be an object, and is a string")),
    "opening.salt": Entry(
      Mutation(
        hex, "promptCommitment.promptMismatch", "inputTokens.inputTokensMismatch",
        "outputTokens.outputTokensMismatch", "textCommitment.textMismatch", "streamChain.streamHeadMismatch"),
      Mutation("ab", f + "opening.salt is \"ab\"; it must be lower-case hex of 32 bytes")),
    "opening.request": Entry(
      Mutation(["prompt": "What is Evident?"], "promptCommitment.endpointMismatch", "rendering.renderingDiffers"),
      Mutation(.null, f + "opening.request must be an object, and is null")),
    "opening.request.messages": Entry(
      Mutation([], "promptCommitment.promptMismatch", "rendering.renderingDiffers"),
      Mutation("x", f + "opening.request.messages must be an array, and is a string")),
    "opening.request.messages[]": Entry(
      Mutation("x", f + "opening.request.messages[0] must be an object, and is a string"),
      removed: ["promptCommitment.promptMismatch", "rendering.renderingDiffers"],
      duplicated: ["promptCommitment.promptMismatch", "rendering.renderingDiffers"]),
    "opening.request.messages[].role": Entry(
      Mutation("user", "promptCommitment.promptMismatch", "rendering.renderingDiffers"),
      Mutation("tool", "promptCommitment.promptMismatch", "rendering.requestNotRenderable"),
      Mutation(
        "System", f + "opening.request.messages[0].role is \"System\"; it must be 1 to 32 lower-case letters and _")),
    "opening.request.messages[].content": Entry(
      Mutation("Be long.", "promptCommitment.promptMismatch", "rendering.renderingDiffers"),
      Mutation(1, f + "opening.request.messages[0].content must be a string, and is a number")),
    "opening.inputTokens": Entry(
      Mutation([], "inputTokens.inputTokenCountMismatch", "rendering.renderingDiffers"),
      Mutation(.null, f + "opening.inputTokens must be an array, and is null")),
    "opening.inputTokens[]": Entry(
      Mutation(2, "inputTokens.inputTokensMismatch", "rendering.renderingDiffers", "replay.tokenDiffers"),
      Mutation(64, "inputTokens.inputTokensMismatch", "rendering.renderingDiffers"),
      Mutation(-1, f + "opening.inputTokens[0] is -1; it must be in 0...1048575"),
      removed: ["inputTokens.inputTokenCountMismatch", "rendering.renderingDiffers", "replay.tokenDiffers"],
      duplicated: ["inputTokens.inputTokenCountMismatch", "rendering.renderingDiffers", "replay.tokenDiffers"]),
    "opening.outputTokens": Entry(
      Mutation(
        [], "outputTokens.outputTokenCountMismatch", "finish.tokenLimitNotReached", "decoding.textDiffers"),
      Mutation(0, f + "opening.outputTokens must be an array, and is a number")),
    "opening.outputTokens[]": Entry(
      Mutation(
        7, "outputTokens.outputTokensMismatch", "streamChain.streamHeadMismatch", "decoding.textDiffers",
        "replay.tokenDiffers"),
      Mutation(
        0, "outputTokens.outputTokensMismatch", "streamChain.streamHeadMismatch", "finish.endOfSequenceInside",
        "decoding.textDiffers", "replay.tokenDiffers"),
      Mutation("7", f + "opening.outputTokens[0] must be an integer, and is a string"),
      removed: [
        "outputTokens.outputTokenCountMismatch", "finish.tokenLimitNotReached", "decoding.textDiffers",
        "replay.tokenDiffers",
      ],
      duplicated: [
        "outputTokens.outputTokenCountMismatch", "streamChain.streamHeadMismatch", "finish.tokenLimitPassed",
        "decoding.textDiffers", "replay.tokenDiffers",
      ]),
    "opening.text": Entry(
      Mutation("Something else", "textCommitment.textMismatch", "decoding.textDiffers"),
      Mutation(.null, f + "opening.text must be a string, and is null")),
    "model": Entry(Mutation("x", f + "model must be an object, and is a string")),
    "log": Entry(
      Mutation(.null), Mutation(1, f + "log must be a string, and is a number"),
      notAProof("log", "", "the proof does not begin with the line c2sp.org/tlog-proof@v1"),
      notAProof(
        "log", "c2sp.org/tlog-proof@v1\nindex 01\n\n",
        "\"index 01\" is not index and a decimal number up to 2^63 - 1")),
    "keys": Entry(Mutation([]), Mutation(.null, f + "keys must be an array, and is null")),
    "keys[]": Entry(
      Mutation("x", f + "keys[0] must be an object, and is a string"), removed: [],
      duplicated: ["keyHistory.keyHistoryRefused"]),
    "keys[].entry": Entry(Mutation(.null, f + "keys[0].entry must be an object, and is null")),
    "keys[].log": Entry(
      Mutation(.null, f + "keys[0].log must be a string, and is null"),
      notAProof("keys[0].log", "x", "the proof does not begin with the line c2sp.org/tlog-proof@v1")),
  ]

  /// The envelopes in `keys` have the form of the receipt's.
  private static let keys: [String: Entry] = {
    func moved(_ failures: [String]) -> [String] {
      failures.map { $0.replacing(f + "receipt", with: f + "keys[0].entry") }
    }
    var entries: [String: Entry] = [:]
    for (name, entry) in envelopeAndFile where name.hasPrefix("receipt.") {
      var copy = entry
      copy.mutations = entry.mutations.map {
        let isForm = $0.failures.first?.hasPrefix(f) == true
        return Mutation($0.value, failures: isForm ? moved($0.failures) : ["keyHistory.keyHistoryRefused"])
      }
      (copy.removed, copy.duplicated) = (entry.removed.map(moved), entry.duplicated.map(moved))
      entries["keys[].entry." + name.dropFirst("receipt.".count)] = copy
    }
    return entries
  }()

  private static func notAProof(_ path: String, _ text: String, _ reason: String) -> Mutation {
    let shown = text.split(separator: "\n").first ?? ""
    return Mutation(.string(text), "\(f)\(path) is \"\(shown)\"; it must be a tlog-proof: \(reason)")
  }
}
