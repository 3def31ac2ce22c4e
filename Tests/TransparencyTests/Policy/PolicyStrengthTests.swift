import TestSupport
import Testing
import Transparency

/// What a quorum is worth, against counting over all sets of witnesses.
@Suite struct PolicyStrengthTests {
  static let keys = (0..<7).map {
    try! CosignatureSigner(name: ByteText("w\($0).example.org"), seed: Array(repeating: 40 + UInt8($0), count: 32))
  }
  static let log = try! NoteSigner(name: "log.example.org", seed: Array(repeating: 1, count: 32))

  static func policy(_ rest: String) throws -> TrustPolicy {
    let witnesses = keys.enumerated().map { "witness w\($0) \($1.verifierKey)\n" }.joined()
    return try TrustPolicy(parsing: Array(("log \(log.verifierKey)\n" + witnesses + rest).utf8))
  }

  @Test func words() throws {
    let policy = try Self.policy(
      "group a 2 w0 w1 w2\ngroup b all w3 w4\ngroup q any a b w5\nquorum q\n")
    #expect(policy.quorumText == "any of (2 of (w0, w1, w2), all of (w3, w4), w5)")
    #expect(policy.strength == TrustPolicy.Strength(quorumMin: 1, sharedMin: 0, blockingMin: 4))
    #expect(try Self.policy("quorum w3\n").strength == TrustPolicy.Strength(quorumMin: 1, sharedMin: 1, blockingMin: 1))
    let none = TrustPolicy(log: Self.log.verifierKey)
    #expect(none.strength == nil && none.quorumText == "no witness is asked for" && !none.asksForWitnesses)
    #expect(try TrustPolicy(parsing: none.bytes) == none)
  }

  /// Who is shown what: w0 and w1 one record, w1 and w2 another, so only w1 has to lie.
  @Test(arguments: [
    ("any w0 w1 w2", 0), ("2 w0 w1 w2", 1), ("all w0 w1 w2", 3), ("2 w0 w1 w2 w3", 0), ("3 w0 w1 w2 w3", 2),
    ("all w0 w1 w2 w3 w4 w5 w6", 7), ("4 w0 w1 w2 w3 w4 w5 w6", 1),
  ])
  func toShowTwoRecordsSoManyMustLie(_ group: String, _ liars: Int) throws {
    #expect(try Self.policy("group g \(group)\nquorum g\n").strength?.sharedMin == liars)
  }

  @Test func strengthIsWhatCountingFinds() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let checkpoint = try Checkpoint(origin: Self.log.verifierKey.name, size: 0, root: .emptyRoot)
    let signature = Self.log.sign(checkpoint)
    let cosignatures = Self.keys.map { $0.cosign(checkpoint, timestamp: 1) }
    for _ in 0..<12 {
      // Groups of what no group has yet, until one is left.
      var free = (0..<7).map { "w\($0)" }
      var lines = ""
      var number = 0
      while free.count > 1 {
        free.shuffle(using: &random)
        let count = Int.random(in: 1...min(4, free.count), using: &random)
        let members = free.prefix(count)
        let threshold = Int.random(in: 1...count, using: &random)
        lines += "group g\(number) \(threshold) \(members.joined(separator: " "))\n"
        free = free.dropFirst(count) + ["g\(number)"]
        number += 1
        if number > 6 { break }
      }
      let policy = try Self.policy(lines + "quorum g\(number - 1)\n")
      var (quorumMin, sharedMin, blockingMin) = (Int.max, Int.max, Int.max)
      var quorums: [Int] = []
      for set in 0..<(1 << 7) {
        let present = cosignatures.indices.filter { set & (1 << $0) != 0 }
        let signed = try SignedCheckpoint(checkpoint, signatures: [signature] + present.map { cosignatures[$0] })
        if try policy.evaluate(signed).isAccepted {
          quorumMin = min(quorumMin, present.count)
          quorums.append(set)
        } else {
          blockingMin = min(blockingMin, 7 - present.count)
        }
      }
      for one in quorums { for other in quorums { sharedMin = min(sharedMin, (one & other).nonzeroBitCount) } }
      #expect(
        policy.strength
          == TrustPolicy.Strength(quorumMin: quorumMin, sharedMin: sharedMin, blockingMin: blockingMin),
        "seed \(seed): \(policy.quorumText)")
    }
  }
}
