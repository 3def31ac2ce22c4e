import Digests

/// What must happen to every field of evidence about embeddings when it is tampered with.
enum EmbeddingTamperManifest {
  typealias Entry = TamperManifest.Entry
  typealias Mutation = TamperManifest.Mutation

  private static let s = "statementStructure: in the statement, "
  private static let f = "fileStructure: in the evidence file, "
  private static let digest = JSON.string("sha256:" + String(repeating: "ab", count: 32))
  private static let hex = JSON.string(String(repeating: "ab", count: 32))
  private static func range(_ path: String, _ value: Int, _ range: ClosedRange<Int>) -> Mutation {
    Mutation(.integer(value), "\(s)\(path) is \(value); it must be in \(range.lowerBound)...\(range.upperBound)")
  }
  private static func type(_ path: String, _ value: JSON, _ wanted: String) -> Mutation {
    Mutation(value, "\(s)\(path) must be \(wanted), and is \(value.kind)")
  }

  static let statement: [String: Entry] = {
    var entries = TamperManifest.statement.filter { key, _ in
      ["_type", "subject", "subject[]", "subject[].digest", "predicate", "predicate.model"].contains(key)
        || key.hasPrefix("predicate.model.") || key.hasPrefix("predicate.node") || key == "predicate.price"
        || key.hasPrefix("predicate.promise")
        || key == "predicate.time"
    }
    entries.merge(own) { _, new in new }
    return entries
  }()

  /// What differs from statements about answers.
  private static let own: [String: Entry] = [
    "subject[].name": Entry(Mutation("embd-other", "subjectBinding.subjectNameMismatch")),
    "subject[].digest.sha256": Entry(Mutation(hex, "subjectBinding.subjectDigestMismatch")),
    "predicateType": Entry(
      Mutation(
        "https://evident.dev/embedding/v2",
        s + "predicateType is \"https://evident.dev/embedding/v2\"; it must be https://evident.dev/answer/v1")),
    "predicate.receiptId": Entry(
      Mutation("rcpt_other"),
      Mutation("", s + "predicate.receiptId is \"\"; it must be 1 to 128 letters, digits and -_.:")),
    "predicate.responseId": Entry(
      Mutation("embd-other", "subjectBinding.subjectNameMismatch"), type("predicate.responseId", 1, "a string")),
    "predicate.endpoint": Entry(
      Mutation("completions", s + "predicate.endpoint is \"completions\"; it must be embeddings")),
    "predicate.input": Entry(type("predicate.input", 1, "an object")),
    "predicate.input.count": Entry(
      Mutation(2, "usageCounts.usageMismatch", "inputTokens.inputCountMismatch"),
      range("predicate.input.count", 2049, 1...2048)),
    "predicate.input.tokenCount": Entry(
      Mutation(5, "usageCounts.usageMismatch", "inputTokens.inputTokenCountMismatch"),
      range("predicate.input.tokenCount", 0, 1...1_048_576)),
    "predicate.input.tokenCommitment": Entry(Mutation(digest, "inputTokens.embeddingInputsMismatch")),
    "predicate.input.promptCommitment": Entry(Mutation(digest, "promptCommitment.promptMismatch")),
    "predicate.input.truncation": Entry(
      Mutation("left", s + "predicate.input.truncation is \"left\"; it must be none")),
    "predicate.parameters": Entry(type("predicate.parameters", .null, "an object")),
    "predicate.parameters.dimensions": Entry(
      Mutation(15, "vectors.vectorLengthMismatch", "replay.vectorDiffers"),
      range("predicate.parameters.dimensions", 0, 1...16384)),
    "predicate.output": Entry(type("predicate.output", 1, "an object")),
    "predicate.output.count": Entry(
      Mutation(4, "usageCounts.usageMismatch", "vectors.vectorCountMismatch"),
      range("predicate.output.count", 0, 1...2048)),
    "predicate.output.vectorCommitment": Entry(
      Mutation(digest, "subjectBinding.subjectDigestMismatch", "vectors.vectorsMismatch")),
    "predicate.usage": Entry(type("predicate.usage", [], "an object")),
    "predicate.usage.promptTokens": Entry(
      Mutation(5, "usageCounts.usageMismatch"), range("predicate.usage.promptTokens", 0, 1...1_048_576)),
    "predicate.usage.totalTokens": Entry(
      Mutation(5, "usageCounts.usageMismatch"), range("predicate.usage.totalTokens", 0, 1...1_048_576)),
  ]

  static let file: [String: Entry] = {
    var entries = TamperManifest.file.filter { key, _ in !key.hasPrefix("opening.") }
    entries.merge(opening) { _, new in new }
    return entries
  }()

  private static let swapped = ["promptCommitment.promptMismatch", "rendering.renderingDiffers"]
  private static let opening: [String: Entry] = [
    "opening.salt": Entry(
      Mutation(
        hex, "promptCommitment.promptMismatch", "inputTokens.embeddingInputsMismatch", "vectors.vectorsMismatch"),
      Mutation("ab", f + "opening.salt is \"ab\"; it must be lower-case hex of 32 bytes")),
    "opening.request": Entry(Mutation(.null, f + "opening.request must be an object, and is null")),
    "opening.request.input": Entry(
      Mutation([], "promptCommitment.promptMismatch"),
      Mutation("x", f + "opening.request.input must be an array, and is a string")),
    "opening.request.input[]": Entry(
      Mutation("Something else", "promptCommitment.promptMismatch", "rendering.renderingDiffers"),
      Mutation([1, 2], "promptCommitment.promptMismatch", "rendering.renderingDiffers"),
      Mutation(1, f + "opening.request.input[0] must be a string, and is a number"),
      removed: ["promptCommitment.promptMismatch"], duplicated: ["promptCommitment.promptMismatch"]),
    "opening.inputTokens": Entry(
      Mutation([], "inputTokens.inputCountMismatch", "vectors.vectorCountMismatch"),
      Mutation(.null, f + "opening.inputTokens must be an array, and is null")),
    "opening.inputTokens[]": Entry(
      Mutation([5], "inputTokens.inputTokenCountMismatch", "rendering.renderingDiffers", "replay.vectorDiffers"),
      Mutation(1, f + "opening.inputTokens[0] must be an array, and is a number"),
      removed: ["inputTokens.inputCountMismatch", "vectors.vectorCountMismatch"],
      duplicated: ["inputTokens.inputCountMismatch", "vectors.vectorCountMismatch"]),
    "opening.inputTokens[][]": Entry(
      Mutation(2, "inputTokens.embeddingInputsMismatch", "rendering.renderingDiffers", "replay.vectorDiffers"),
      Mutation(-1, f + "opening.inputTokens[0][0] is -1; it must be in 0...1048575"),
      removed: ["inputTokens.inputTokenCountMismatch", "rendering.renderingDiffers", "replay.vectorDiffers"],
      duplicated: ["inputTokens.inputTokenCountMismatch", "rendering.renderingDiffers", "replay.vectorDiffers"]),
    "opening.vectors": Entry(
      Mutation([], "vectors.vectorCountMismatch"),
      Mutation("x", f + "opening.vectors must be an array, and is a string")),
    "opening.vectors[]": Entry(
      Mutation("x", f + "opening.vectors[0] must be an object, and is a string"),
      removed: ["vectors.vectorCountMismatch"], duplicated: ["vectors.vectorCountMismatch"]),
    "opening.vectors[].exponent": Entry(
      Mutation(-23, "vectors.vectorsMismatch", "replay.vectorDiffers"),
      Mutation(65, f + "opening.vectors[0].exponent is 65; it must be in -64...64")),
    "opening.vectors[].values": Entry(
      Mutation([], "vectors.vectorLengthMismatch", "replay.vectorDiffers"),
      Mutation(.null, f + "opening.vectors[0].values must be an array, and is null")),
    "opening.vectors[].values[]": Entry(
      Mutation(0, "vectors.vectorsMismatch", "replay.vectorDiffers"),
      Mutation(16_777_217, f + "opening.vectors[0].values[0] is 16777217; it must be in -16777216...16777216"),
      removed: ["vectors.vectorLengthMismatch", "replay.vectorDiffers"],
      duplicated: ["vectors.vectorLengthMismatch", "replay.vectorDiffers"]),
  ]
}
