import Digests
import Testing
import Transparency

/// What a policy makes of checkpoints.
@Suite struct PolicyVerdictTests {
  private let log = SampleLog(size: 7)

  private func policy(_ rest: String) throws -> TrustPolicy {
    let names = ["one", "two", "three"]
    let witnesses = zip(names, SampleLog.witnesses).map { "witness \($0) \($1.verifierKey)\n" }.joined()
    return try TrustPolicy(parsing: Array("log \(SampleLog.signer.verifierKey)\n\(witnesses)\(rest)\n".utf8))
  }

  /// Two of three: all up, one down, two down, none.
  @Test func twoOfThree() throws {
    for (who, time) in [([0, 1, 2], 1), ([0, 1], 1), ([1, 2], 2), ([0, 2], 2)] {
      let verdict = try SampleLog.policy.evaluate(log.checkpoint(at: 7, witnesses: who))
      #expect(verdict.isAccepted && verdict.quorum == .reached(timestamp: SampleLog.time + UInt64(time)))
      #expect(verdict.witnesses.map(\.hasCosigned) == (0..<3).map(who.contains))
      #expect(verdict.log == SampleLog.signer.verifierKey && verdict.checkpoint.size == 7)
    }
    for who in [[0], [1], [2], []] {
      let verdict = try SampleLog.policy.evaluate(log.checkpoint(at: 7, witnesses: who))
      guard case .notReached(let shortfall) = verdict.quorum else {
        Issue.record("\(who) are no quorum")
        continue
      }
      #expect(!verdict.isAccepted && shortfall.found == who.count && shortfall.wanted == 2)
      #expect(shortfall.missing.count == 3 - who.count)
    }
    let one = try SampleLog.policy.evaluate(log.checkpoint(at: 7, witnesses: [1]))
    guard case .notReached(let shortfall) = one.quorum else { return }
    #expect(
      shortfall.description == "the quorum witnesses has 1 of 2 cosignatures that it needs; missing: one, three")
  }

  /// All quorums over three witnesses, against every set of them.
  @Test func quorumsCountWhatTheySay() throws {
    let rules: [(String, (Set<Int>) -> Bool)] = [
      ("quorum none", { _ in true }), ("quorum two", { $0.contains(1) }),
      ("group g any one two three\nquorum g", { !$0.isEmpty }),
      ("group g all one two three\nquorum g", { $0.count == 3 }),
      ("group g 1 one two three\nquorum g", { !$0.isEmpty }), ("group g 3 one two three\nquorum g", { $0.count == 3 }),
      ("group g any one two\ngroup h all g three\nquorum h", { $0.contains(2) && $0.count > 1 }),
      ("group g all one two\ngroup h any g three\nquorum h", { $0.contains(2) || $0 == [0, 1] }),
      // A quorum inside, and a group that nobody asks about.
      ("group g all one two\ngroup h any g three\nquorum g", { $0.isSuperset(of: [0, 1]) }),
    ]
    for (text, holds) in rules {
      let policy = try policy(text)
      for set in 0..<8 {
        let who = (0..<3).filter { set >> $0 & 1 == 1 }
        #expect(
          try policy.evaluate(log.checkpoint(at: 7, witnesses: who)).isAccepted == holds(Set(who)), "\(text), \(who)")
      }
    }
    #expect(try policy("quorum none").evaluate(log.checkpoint(at: 7)).quorum == .notAskedFor)
  }

  @Test func witnessesOutsideThePolicyDoNotCount() throws {
    let stranger = try CosignatureSigner(name: "w9.example", seed: [UInt8](repeating: 77, count: 32))
    let signed = try log.checkpoint(at: 7, witnesses: [0])
    let more = try signed.adding([stranger.cosign(signed.checkpoint, timestamp: 1)])
    #expect(try !SampleLog.policy.evaluate(more).isAccepted)
    // Nor does one that cosigns twice, and its first word is its time.
    let again = SampleLog.witnesses[0].cosign(signed.checkpoint, timestamp: 5)
    let verdict = try SampleLog.policy.evaluate(signed.adding([again]))
    #expect(!verdict.isAccepted && verdict.witnesses[0].timestamp == 5)
  }

  /// A cosignature of another checkpoint is a bad signature of a known key: refused, not counted as missing.
  @Test func cosignaturesOfOtherCheckpointsAreRefused() throws {
    let signed = try log.checkpoint(at: 7, witnesses: [0, 1])
    let older = try log.checkpoint(at: 6)
    let mixed = try SignedCheckpoint(
      signed.checkpoint, signatures: signed.note.signatures + [older.note.signatures[3]])
    #expect(
      throws: CheckpointRejection.note(
        .badSignature(name: "w3.example/witness", keyID: SampleLog.witnesses[2].verifierKey.keyID))
    ) {
      try SampleLog.policy.evaluate(mixed)
    }
    let unsigned = try SignedCheckpoint(signed.checkpoint, signatures: Array(signed.note.signatures.dropFirst()))
    #expect(throws: CheckpointRejection.notSigned(origin: SampleLog.origin)) { try SampleLog.policy.evaluate(unsigned) }
  }

  @Test func logsAreKnownFromThePolicyOrFromElsewhere() throws {
    let signed = try log.checkpoint(at: 7)
    let empty = try TrustPolicy(parsing: Array("quorum none\n".utf8))
    #expect(throws: CheckpointRejection.notSigned(origin: SampleLog.origin)) { try empty.evaluate(signed) }
    #expect(try empty.evaluate(signed, furtherLogs: [SampleLog.signer.verifierKey]).isAccepted)
    // Another log of the policy cannot sign in this one's name.
    let other = try NoteSigner(name: "other.example/log", seed: [UInt8](repeating: 5, count: 32))
    let policy = try TrustPolicy(parsing: Array("log \(other.verifierKey)\nquorum none\n".utf8))
    let foreign = try SignedCheckpoint(signed.checkpoint, signatures: [other.sign(signed.checkpoint)])
    #expect(throws: CheckpointRejection.notSigned(origin: SampleLog.origin)) { try policy.evaluate(foreign) }
  }
}
