import Testing
import Transparency

/// What a policy file may say.
@Suite struct TrustPolicyTests {
  static let log = SampleLog.signer.verifierKey.description
  static let keys = (0..<12).map {
    try! CosignatureSigner(name: ByteText("w\($0)"), seed: [UInt8](repeating: 100 + UInt8($0), count: 32)).verifierKey
      .description
  }

  @Test func policiesAreReadAndWritten() throws {
    let text = """
        # two levels, as in the specification
      log \(Self.log) https://log.example/
      \t
      witness X1 \(Self.keys[0]) https://x1.example/
      witness X2 \(Self.keys[1])
      witness   X3\t\(Self.keys[2])\u{20}
      group X-witnesses 2 X1 X2 X3
      witness Y1 \(Self.keys[3])
      witness Y2 \(Self.keys[4])
      group Y-witnesses any Y1 Y2
      group X-and-Y all X-witnesses Y-witnesses
      quorum X-and-Y

      """
    let policy = try TrustPolicy(parsing: Array(text.utf8))
    #expect(policy.logs.map(\.key.description) == [Self.log] && policy.logs[0].url == "https://log.example/")
    #expect(policy.witnesses.map(\.name) == ["X1", "X2", "X3", "Y1", "Y2"])
    #expect(policy.groups.map(\.threshold) == [2, 1, 2] && policy.quorum == .member("X-and-Y"))
    #expect(
      policy.asksForWitnesses && policy.witnesses[0].url == "https://x1.example/" && policy.witnesses[1].url == nil)
    #expect(try TrustPolicy(parsing: policy.bytes) == policy)
  }

  @Test func theSmallestPolicies() throws {
    let none = try TrustPolicy(parsing: Array("quorum none\n".utf8))
    #expect(none.quorum == .none && none.logs.isEmpty && !none.asksForWitnesses)
    let one = try TrustPolicy(parsing: Array("witness all \(Self.keys[0])\nquorum all\n".utf8))
    #expect(one.quorum == .member("all"))
  }

  /// Names are octets, also such that are no UTF-8 and such that Unicode calls equal.
  @Test func namesAreOctets() throws {
    func line(_ words: [UInt8]...) -> [UInt8] { Array(words.joined(separator: [0x20])) + [0x0A] }
    func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }
    var bytes = line(utf8("witness"), [0xFF], utf8(Self.keys[0]))
    bytes += line(utf8("witness"), [0xFE], utf8(Self.keys[1]))
    bytes += utf8("witness caf\u{e9} \(Self.keys[2])\nwitness cafe\u{301} \(Self.keys[3])\n")
    bytes += line(utf8("group g all"), [0xFF], [0xFE], utf8("caf\u{e9} cafe\u{301}"))
    bytes += utf8("quorum g\n")
    let policy = try TrustPolicy(parsing: bytes)
    #expect(policy.groups[0].members.count == 4 && policy.bytes.count > 0)
    #expect(try TrustPolicy(parsing: policy.bytes) == policy)
    #expect { try TrustPolicy(parsing: Array("witness K \(Self.keys[0])\nquorum \u{212A}\n".utf8)) } throws: {
      ($0 as? PolicyRejection)?.reason == .unknownName("\u{212A}")
    }
  }

  static let many = (0..<257).map { i in
    try! CosignatureSigner(
      name: "w", seed: [UInt8(truncatingIfNeeded: i), UInt8(i >> 8)] + [UInt8](repeating: 1, count: 30)
    ).verifierKey.description
  }

  static func witnesses(_ count: Int) -> String { (0..<count).map { "witness W\($0) \(keys[$0])\n" }.joined() }
  static let otherName = try! NoteSigner(name: "other", seed: [UInt8](repeating: 1, count: 32)).verifierKey.description
  static let mldsa = "w+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
  static let refused: [(String, Int, PolicyRejection.Reason)] = [
    ("", 1, .noQuorum), ("# nothing\n", 2, .noQuorum), ("quorum none", 1, .unfinishedLine),
    ("quorum none\n#", 2, .unfinishedLine), ("quorum none\r\n", 1, .octet(13)), ("#\u{1}\nquorum none\n", 1, .octet(1)),
    ("quorum none\n#\u{7F}\n", 2, .octet(127)), ("quorum\u{B}none\n", 1, .octet(11)),
    ("quorum none\nquorum none\n", 2, .secondQuorum(firstLine: 1)),
    ("quorum\n", 1, .words(wanted: "quorum NAME or quorum none")),
    ("quorum none none\n", 1, .words(wanted: "quorum NAME or quorum none")),
    ("Quorum none\n", 1, .unknownKeyword("Quorum")),
    ("quorum x\n", 1, .unknownName("x")), ("quorum W0\n" + witnesses(1), 1, .unknownName("W0")),
    ("quorum None\n", 1, .unknownName("None")), ("log\n", 1, .words(wanted: "log VKEY [URL]")),
    ("log \(log) a b\n", 1, .words(wanted: "log VKEY [URL]")), ("log x\n", 1, .key(.form)),
    ("log \(keys[0])\n", 1, .keyKind(.cosignature, wanted: .ed25519)),
    ("log \(mldsa)\n", 1, .key(.unsupportedType(6))),
    ("log \(log)\nlog \(log)\n", 2, .duplicateKey(firstLine: 1)),
    ("log \(log)\n\nlog \(otherName)\n", 3, .duplicateKey(firstLine: 1)),
    ("witness a\n", 1, .words(wanted: "witness NAME VKEY [URL]")),
    ("witness a \(keys[0]) u v\n", 1, .words(wanted: "witness NAME VKEY [URL]")),
    ("witness a \(log)\n", 1, .keyKind(.ed25519, wanted: .cosignature)),
    ("witness none \(keys[0])\n", 1, .reservedName),
    ("witness a \(keys[0])\nwitness a \(keys[1])\n", 2, .duplicateName("a", firstLine: 1)),
    ("witness a \(keys[0])\nwitness b \(keys[0])\n", 2, .duplicateKey(firstLine: 1)),
    ("group g any\n", 1, .words(wanted: "group NAME any|all|NUMBER MEMBER...")),
    ("group g\n", 1, .words(wanted: "group NAME any|all|NUMBER MEMBER...")),
    (witnesses(2) + "group g 0 W0 W1\n", 3, .threshold("0", members: 2)),
    (witnesses(2) + "group g 3 W0 W1\n", 3, .threshold("3", members: 2)),
    (witnesses(2) + "group g 01 W0 W1\n", 3, .threshold("01", members: 2)),
    (witnesses(2) + "group g -1 W0 W1\n", 3, .threshold("-1", members: 2)),
    (witnesses(2) + "group g most W0 W1\n", 3, .threshold("most", members: 2)),
    (witnesses(2) + "group g ALL W0 W1\n", 3, .threshold("ALL", members: 2)),
    (witnesses(2) + "group g 99999999999999999999 W0 W1\n", 3, .threshold("99999999999999999999", members: 2)),
    (witnesses(2) + "group g all W0 W0\n", 3, .memberTwice("W0", firstLine: 3)),
    (witnesses(2) + "group g all W0 none\n", 3, .reservedName),
    (witnesses(2) + "group none all W0\n", 3, .reservedName),
    (witnesses(2) + "group g all W0\ngroup h all W1 W0\n", 4, .memberTwice("W0", firstLine: 3)),
    (witnesses(2) + "group W1 all W0\n", 3, .duplicateName("W1", firstLine: 2)),
    (witnesses(2) + "group g all W0\ngroup g all W1\n", 4, .duplicateName("g", firstLine: 3)),
    // A group of itself, and two of each other.
    (witnesses(2) + "group g all W0 g\n", 3, .unknownName("g")),
    (witnesses(2) + "group g all W0 h\ngroup h all W1 g\n", 3, .unknownName("h")),
    (witnesses(2) + "group g all W0 W9\n", 3, .unknownName("W9")),
    (many.enumerated().map { "witness n\($0) \($1)\n" }.joined(), 257, .tooMany("witnesses")),
    (String(repeating: "#", count: 256 << 10) + "\n", 1, .tooLong(byteCount: (256 << 10) + 1)),
  ]

  @Test(arguments: refused.indices) func otherFilesAreRefusedWithTheirLine(_ index: Int) {
    let (text, line, reason) = Self.refused[index]
    #expect(throws: PolicyRejection(line: line, reason: reason)) { try TrustPolicy(parsing: Array(text.utf8)) }
    let message = PolicyRejection(line: line, reason: reason).description
    #expect(message.hasPrefix("line \(line) of the policy: ") && !message.contains("\n"))
  }

  @Test func largePoliciesAreRead() throws {
    var text = Self.many.prefix(256).enumerated().map { "witness n\($0) \($1)\n" }.joined()
    // As deep as it gets: each group holds the one before.
    for i in 0..<256 { text += "group g\(i) all n\(i)\(i > 0 ? " g\(i - 1)" : "")\n" }
    let policy = try TrustPolicy(parsing: Array((text + "quorum g255\n").utf8))
    #expect(policy.groups.count == 256)
    let signed = try SampleLog(size: 1).checkpoint(at: 1)
    let verdict = try policy.evaluate(signed, furtherLogs: [SampleLog.signer.verifierKey])
    #expect(
      verdict.quorum == .notReached(QuorumShortfall(name: "g255", wanted: 2, found: 0, missing: ["n255", "g254"])))
  }
}
