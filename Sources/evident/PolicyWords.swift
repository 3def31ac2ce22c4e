import Digests
import Transparency

/// A policy in the words of people, and what it is worth.
struct PolicyWords {
  let chosen: ChosenPolicy

  init(_ chosen: ChosenPolicy) { self.chosen = chosen }

  /// One line.
  var summary: String {
    guard let policy = chosen.policy else { return chosen.text }
    func count(_ number: Int, _ one: String, _ more: String) -> String { "\(number) \(number == 1 ? one : more)" }
    return "a valid policy: \(count(policy.logs.count, "log", "logs")), "
      + "\(count(policy.witnesses.count, "witness", "witnesses")), quorum: \(policy.quorumText)"
  }

  var text: String {
    var lines = ["policy     \(chosen.text)"]
    if let policy = chosen.policy {
      for log in policy.logs { lines.append("log        " + PolicyWords.line(log.key, log.url)) }
      if policy.logs.isEmpty { lines.append("log        none named: the one that a receipt promises is taken") }
      for witness in policy.witnesses {
        lines.append("witness    \(witness.name): " + PolicyWords.line(witness.key, witness.url))
      }
      lines.append("quorum     \(policy.quorumText)")
    }
    lines.append("worth      \(worth)")
    return lines.joined(separator: "\n")
  }

  /// What the policy holds against whom.
  var worth: String {
    guard let policy = chosen.policy else {
      return
        "nothing against the operator of the log that a receipt names, who may be the node itself: it shows that the "
        + "log's key signed, and does not establish the level logged"
    }
    guard let strength = policy.strength else {
      return "nothing against the log's operator, who can show everyone another record; "
        + (policy.logs.isEmpty ? "it does not establish the level logged" : "the level logged says so")
    }
    func witnesses(_ count: Int) -> String { count == 1 ? "1 witness" : "\(count) witnesses" }
    let split =
      strength.sharedMin == 0
      ? "the log can show you another record than others without a witness that lies: two quorums need not share one; "
        + "ask for more than half of them"
      : "to show you another record than others, the log needs \(witnesses(strength.sharedMin)) to lie with it"
    return
      "\(split); without \(witnesses(strength.quorumMin)) nothing is accepted, and with \(witnesses(strength.blockingMin)) down, nothing new may be accepted"
  }

  var json: JSON {
    var object = chosen.json.object ?? JSONObject()
    object["worth"] = .string(worth)
    guard let policy = chosen.policy else { return .object(object) }
    func url(_ url: ByteText?) -> JSON { url.map { .string($0.string) } ?? .null }
    object["logs"] = .array(policy.logs.map { ["key": .string($0.key.description), "url": url($0.url)] })
    object["witnesses"] = .array(
      policy.witnesses.map {
        ["name": .string($0.name.string), "key": .string($0.key.description), "url": url($0.url)]
      })
    object["groups"] = .array(
      policy.groups.map {
        [
          "name": .string($0.name.string), "threshold": .integer($0.threshold),
          "members": .array($0.members.map { .string($0.string) }),
        ]
      })
    if case .member(let name) = policy.quorum {
      object["quorum"] = .string(name.string)
    } else {
      object["quorum"] = .null
    }
    object["quorumText"] = .string(policy.quorumText)
    object["witnessesForQuorum"] = policy.strength.map { .integer($0.quorumMin) } ?? .null
    object["witnessesToSplit"] = policy.strength.map { .integer($0.sharedMin) } ?? .null
    object["witnessesToBlock"] = policy.strength.map { .integer($0.blockingMin) } ?? .null
    return .object(object)
  }

  private static func line(_ key: NoteVerifierKey, _ url: ByteText?) -> String {
    key.description + (url.map { "  \($0)" } ?? "")
  }
}
