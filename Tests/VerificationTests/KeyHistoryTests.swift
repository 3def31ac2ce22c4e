import Digests
import Receipts
import Tampering
import Testing
import Transparency
import Verification

/// Successions and revocations: what a chain of keys must be, and what a revocation leaves valid.
@Suite struct KeyHistoryTests {
  let node = TinyNode()
  let logged: EvidenceFile
  let old = TinyLog.oldKey
  let key = TinyLog.key
  let next = TinyLog.nextKey

  init() throws { logged = try node.file(try node.answer(.busy)).logged() }

  func verify(
    _ entries: [Envelope], seen: UInt64 = 1_767_225_600, policy: TrustPolicy = TinyLog.policy,
    accepting keys: [NodeSigningKey] = [], pending: Bool = false
  ) throws -> Verdict {
    var file = logged
    file.keys = try TinyLog.history(entries, seen: seen)
    if pending { file.log = nil }
    var options = node.options(replay: false)
    options.policy = policy
    options.expected.keys = Set(keys.map(\.publicKey))
    return Verifier(options).verify(try file.bytes())
  }

  @Test func aChainIsShown() throws {
    let chain = [TinyLog.succession(old, key), TinyLog.succession(key, next)]
    let verdict = try verify(chain)
    #expect(verdict.exitStatus == 0)
    let reason = verdict.outcome(of: .keyHistory).reason
    #expect(reason.hasPrefix("key 2 of 3: ") && reason.contains(old.publicKey.hex.prefix(16)))
    #expect(try verify([]).outcome(of: .keyHistory) == .skip(.noKeyHistory))
    // The key that comes first in the file may be the receipt's own.
    #expect(try verify([TinyLog.succession(key, next)]).outcome(of: .keyHistory).reason.hasPrefix("key 1 of 2"))
  }

  @Test func successorsOfAnAcceptedKeyAreAccepted() throws {
    let chain = [TinyLog.succession(old, key)]
    #expect(try verify(chain, accepting: [old]).outcome(of: .keyBinding).reason.contains("a successor of"))
    #expect(try verify([], accepting: [old]).failures == ["keyBinding.keyNotExpected"])
    // A predecessor of an accepted key is not.
    #expect(
      try verify([TinyLog.succession(key, next)], accepting: [next]).failures == ["keyBinding.keyNotExpected"])
    // A chain that does not hold leads nowhere.
    var file = logged
    file.keys = [LoggedEntry(entry: chain[0], log: logged.log!)]
    var options = node.options(replay: false)
    options.expected.keys = [old.publicKey]
    #expect(
      Verifier(options).verify(try file.bytes()).failures == [
        "keyBinding.keyNotExpected", "keyHistory.keyHistoryRefused",
      ])
  }

  @Test func aRevocationThatWasLoggedLaterIsCalledOne() throws {
    var file = try node.file(try node.answer(.busy)).logged()
    file.keys = try TinyLog.history(
      [TinyLog.revocation(key, from: "2020-01-01T00:00:00Z", by: key)], seen: TinyLog.seen + 60)
    var options = node.options(replay: false)
    options.requiredLevels = [.logged]
    let verdict = Verifier(options).verify(try file.bytes())
    #expect(verdict.failures == ["keyHistory.keyRevoked"])
    let text = verdict.text(color: false)
    #expect(text.contains("which the witnesses saw at 2026-02-01T00:01:01Z"))
    #expect(text.contains("it was disowned after it was logged"))
  }

  /// The receipt was seen at 2026-02-01T00:00:01Z.
  @Test func whatWasLoggedBeforeARevocationStaysValid() throws {
    let succession = TinyLog.succession(key, next)
    let before = try verify([succession, TinyLog.revocation(key, from: "2026-02-01T00:00:02Z", by: next)])
    #expect(before.exitStatus == 0)
    #expect(before.outcome(of: .keyHistory).reason.contains("is revoked from 2026-02-01T00:00:02Z on"))
    for signer in [key, next] {
      let after = try verify([succession, TinyLog.revocation(key, from: "2026-02-01T00:00:01Z", by: signer)])
      #expect(after.failures == ["keyHistory.keyRevoked"])
      // It was seen a month before the receipt: nothing was taken back.
      #expect(after.text(color: false).contains("which the witnesses saw at 2026-01-01T00:00:00Z"))
      #expect(!after.text(color: false).contains("disowned"))
    }
    // The earliest of several holds.
    let two = [
      TinyLog.revocation(key, from: "2027-01-01T00:00:00Z", by: key),
      TinyLog.revocation(key, from: "2026-01-01T00:00:00Z", by: key),
    ]
    #expect(try verify(two).failures == ["keyHistory.keyRevoked"])
    #expect(try verify([two[0]]).failures == [])
    // Without a time that a witness has seen, nothing shows that the receipt is older.
    #expect(try verify([two[0]], pending: true).failures == ["keyHistory.keyRevoked"])
    #expect(try verify([two[0]], policy: TinyLog.withoutWitnesses).failures == ["keyHistory.keyRevoked"])
    // Another key's revocation is not this one's.
    let other = [TinyLog.succession(old, key), TinyLog.revocation(old, from: "2025-01-01T00:00:00Z", by: key)]
    #expect(try verify(other).exitStatus == 0)
  }

  @Test func entriesThatFormNoChainAreRefused() throws {
    let a = TinyLog.succession(old, key)
    let revoked = TinyLog.revocation(key, from: "2026-01-01T00:00:00Z", by: key)
    let late = TinyLog.revocation(key, from: "2026-06-01T00:00:00Z", by: key)
    let b = TinyLog.succession(key, next)
    for (what, entries) in [
      ("a gap", [a, TinyLog.succession(next, NodeSigningKey(seed: Array(repeating: 9, count: 32))!)]),
      ("a circle", [a, TinyLog.succession(key, old)]),
      ("a fork", [a, TinyLog.succession(old, next)]),
      ("a stranger's revocation", [a, TinyLog.revocation(key, from: "2027-01-01T00:00:00Z", by: next)]),
      ("a predecessor's revocation", [a, TinyLog.revocation(key, from: "2027-01-01T00:00:00Z", by: old)]),
      ("a revocation of another's key", [a, TinyLog.revocation(next, from: "2027-01-01T00:00:00Z", by: next)]),
      ("a successor after the revocation", [revoked, b]),
      ("a statement", [logged.receipt]),
    ] {
      #expect(try verify(entries).failures == ["keyHistory.keyHistoryRefused"], "\(what)")
    }
    // From a later time on, a successor can still be named; without anyone who says when, it cannot.
    #expect(try verify([late, b]).failures == [])
    #expect(
      try verify([late, b], policy: TinyLog.withoutWitnesses).failures == ["keyHistory.keyHistoryRefused"])
    #expect(try verify([TinyLog.succession(old, next)]).failures == ["keyHistory.keyHistoryOfAnother"])
    // The order of the log, not that of the file.
    var file = logged
    file.keys = try TinyLog.history([a, b]).reversed()
    #expect(
      Verifier(node.options(replay: false)).verify(try file.bytes()).failures == ["keyHistory.keyHistoryRefused"])
  }

  /// Also when an entry of another log stands between two of one.
  @Test func eachLogHasItsOrder() throws {
    let other = "log \(TinyLog.otherLog.verifierKey)\n"
    var options = node.options(replay: false)
    options.policy = TinyLog.policy("quorum w1\n", log: "log \(TinyLog.log.verifierKey)\n" + other)
    let entries = ["2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z"].map {
      TinyLog.revocation(key, from: $0, by: key)
    }
    func outcome(_ places: [(UInt64, NoteSigner)]) throws -> CheckOutcome {
      var file = logged
      file.keys = try zip(entries, places).map { entry, place in
        LoggedEntry(
          entry: entry, log: try TinyLog.proof(of: place.0, in: TinyLog.tree([place.0: entry]), log: place.1))
      }
      return Verifier(options).verify(try file.bytes()).outcome(of: .keyHistory)
    }
    #expect(try outcome([(3, TinyLog.log), (1, TinyLog.otherLog), (4, TinyLog.log)]).word == "PASS")
    for index: UInt64 in [2, 3] {
      let found = try outcome([(3, TinyLog.log), (1, TinyLog.otherLog), (index, TinyLog.log)])
      #expect(found.reason.contains("it is entry \(index) of the log, and follows entry 3"))
    }
  }

  /// What must follow for each field, signed anew by whoever has to sign it.
  @Test func everyFieldOfASuccessionCounts() throws {
    let honest = TinyLog.succession(old, key)
    let tree = try Tree.canonical(try JSON.parse(honest.payload))
    try tamper(tree, old) { try verify([$0]).failures }
  }

  @Test func everyFieldOfARevocationCounts() throws {
    let honest = TinyLog.revocation(key, from: "2027-01-01T00:00:00Z", by: key)
    // What the signer alone says: the time and the reason.
    let free: Set<String> = ["predicate.reason", "predicate.from"]
    let tree = try Tree.canonical(try JSON.parse(honest.payload))
    try tamper(tree, key, free: free) { try verify([$0]).failures }
  }

  func tamper(
    _ tree: Tree, _ signer: NodeSigningKey, free: Set<String> = [], _ failures: (Envelope) throws -> [String]
  ) throws {
    let refused = ["keyHistory.keyHistoryRefused"]
    let other = NodeSigningKey(seed: Array(repeating: 9, count: 32))!
    let values: [JSON] = [
      1, .null, "x", .string(other.publicKey.hex), "2026-02-02T00:00:00Z",
      .string(Base64.string(Array(repeating: 1, count: 64))),
    ]
    var (count, passed) = (0, 0)
    for place in tree.places {
      var damages: [Tree.Damage] = values.map { .set($0) } + [.remove, .duplicate]
      if case .object = tree[place[...]] { damages.append(.add("extra")) }
      for damage in damages {
        let payload = Array(tree.damaged(place[...], damage).text.utf8)
        guard payload != Array(tree.text.utf8) else { continue }
        let found = try failures(Envelope(signing: payload, with: signer))
        count += 1
        guard free.contains(Tree.name(place)), (try? NodeStatement.parse(payload)) != nil else {
          #expect(found == refused, "\(Tree.name(place)) \(damage)")
          continue
        }
        passed += 1
        #expect(found.isEmpty, "\(Tree.name(place)) \(damage)")
      }
    }
    // The same bytes under another's signature.
    let payload = Array(tree.text.utf8)
    #expect(try failures(Envelope(signing: payload, with: other)) == refused)
    let envelope = Envelope(signing: payload, with: signer)
    let renamed = Envelope(payload: payload, keyID: other.publicKey.id, signature: envelope.signature)
    #expect(try failures(renamed) == refused)
    #expect(count > 80 && (passed > 0) == !free.isEmpty)
  }
}
