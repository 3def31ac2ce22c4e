public import Digests
import Receipts

extension Verdict {
  public static let schema = "evident.verdict.v1"

  /// The verdict for programs.
  public var json: JSON {
    var object = JSONObject()
    object["schema"] = .string(Verdict.schema)
    object["verdict"] = .string(outcome.rawValue)
    object["exitStatus"] = .integer(Int(exitStatus))
    object["receiptId"] = claim.map { .string($0.receiptID) } ?? .null
    object["responseId"] = claim.map { .string($0.responseID) } ?? .null
    object["model"] = claim.map { .string($0.model.manifest.description) } ?? .null
    object["node"] = claim.map { .string($0.node.publicKey.hex) } ?? .null
    object["time"] = claim.map { .string($0.time) } ?? .null
    object["randomness"] = Verdict.text(randomness)
    object["checks"] = .array(
      checks.map { result in
        [
          "check": .string(result.check.rawValue),
          "outcome": .string(result.outcome.word),
          "reason": .string(result.outcome.reason),
          "hint": Verdict.text(result.outcome.hint),
        ]
      })
    object["levels"] = .array(
      levels.map { row in
        [
          "level": .string(row.level.rawValue),
          "state": .string(row.state.word),
          "reason": Verdict.text(row.reason),
          "establishes": .string(row.level.establishes),
          "stillTrusted": .string(row.level.stillTrusted),
        ]
      })
    object["stillTrusted"] = .array(stillTrusted.map { .string($0) })
    object["notChecked"] = .array(notChecked.map { .string($0) })
    return .object(object)
  }

  private static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
}
