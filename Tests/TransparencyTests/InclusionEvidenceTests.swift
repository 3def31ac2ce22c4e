import Digests
import Testing
import Transparency

@Suite struct InclusionEvidenceTests {
  private static let log = SampleLog(size: 300)
  /// Every witness is needed, so that none can be taken away unnoticed.
  private static let strict = try! TrustPolicy(
    parsing: Array(SampleLog.policyText.replacing("witnesses 2", with: "witnesses all").utf8))

  @Test func evidenceOfEveryEntryVerifies() throws {
    for size in [UInt64(1), 2, 3, 255, 256, 257, 300] {
      for index in Set([0, 1, size / 2, size - 1]).filter({ $0 < size }) {
        let evidence = try Self.log.evidence(of: index, in: size)
        #expect(try InclusionEvidence(parsing: evidence.bytes) == evidence)
        let leaf = Self.log.tree.leaf(at: index)
        let verdict = try evidence.verify(leaf: leaf, policy: SampleLog.policy)
        #expect(verdict.isAccepted && verdict.checkpoint.size == size)
        #expect(throws: InclusionEvidenceRejection.self) {
          try evidence.verify(leaf: .leaf(Array("another".utf8)), policy: SampleLog.policy)
        }
      }
    }
  }

  @Test func fewWitnessesAreAVerdictAndNoVerification() throws {
    let evidence = try Self.log.evidence(of: 5, in: 300, witnesses: [1])
    let leaf = Self.log.tree.leaf(at: 5)
    #expect(try !evidence.evaluate(leaf: leaf, policy: SampleLog.policy).isAccepted)
    let shortfall = QuorumShortfall(name: "witnesses", wanted: 2, found: 1, missing: ["one", "three"])
    #expect(throws: InclusionEvidenceRejection.quorum(shortfall)) {
      try evidence.verify(leaf: leaf, policy: SampleLog.policy)
    }
  }

  /// Every bit of a proof without extra data counts.
  @Test func everyBitCounts() throws {
    let evidence = try Self.log.evidence(of: 70, in: 300)
    let leaf = Self.log.tree.leaf(at: 70)
    let bytes = evidence.bytes
    try evidence.verify(leaf: leaf, policy: Self.strict)
    for i in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[i] ^= 1 << bit
        #expect(throws: InclusionEvidenceRejection.self, "bit \(bit) of byte \(i)") {
          try InclusionEvidence(parsing: damaged).verify(leaf: leaf, policy: Self.strict)
        }
      }
    }
    for length in bytes.indices {
      #expect(throws: InclusionEvidenceRejection.self) {
        try InclusionEvidence(parsing: Array(bytes[..<length])).verify(leaf: leaf, policy: Self.strict)
      }
    }
  }

  /// One change of each part, and what is said about it.
  @Test func partsAreBoundToEachOther() throws {
    let evidence = try Self.log.evidence(of: 70, in: 300)
    let leaf = Self.log.tree.leaf(at: 70)
    func rejection(_ index: UInt64, _ hashes: [MerkleHash], _ signed: SignedCheckpoint) throws
      -> InclusionEvidenceRejection?
    {
      let changed = try InclusionEvidence(index: index, hashes: hashes, signed: signed)
      do { try changed.verify(leaf: leaf, policy: Self.strict) } catch { return error }
      return nil
    }
    let (hashes, signed) = (evidence.hashes, evidence.signed)
    #expect(try rejection(70, hashes, signed) == nil)
    for index in [UInt64(0), 69, 71, 198, 299] {
      guard case .proof(.rootMismatch) = try rejection(index, hashes, signed) else {
        #expect(try rejection(index, hashes, signed).map { "\($0)".contains("hashes instead of") } == true, "\(index)")
        continue
      }
    }
    #expect(try rejection(300, hashes, signed) == .proof(.indexOutsideTree(index: 300, size: 300)))
    #expect(try rejection(70, hashes.dropLast(), signed) == .proof(.hashCount(found: 8, wanted: 9)))
    #expect(try rejection(70, hashes + [leaf], signed) == .proof(.hashCount(found: 10, wanted: 9)))
    #expect(try rejection(70, [], signed) == .proof(.hashCount(found: 0, wanted: 9)))
    guard case .proof(.rootMismatch) = try rejection(70, hashes.reversed(), signed) else {
      Issue.record("the order of hashes counts")
      return
    }
    guard case .proof = try rejection(70, hashes, Self.log.checkpoint(at: 299)) else {
      Issue.record("the checkpoint counts")
      return
    }
  }

  static let refused: [(String, InclusionEvidenceRejection)] = {
    let text = String(decoding: try! log.evidence(of: 70, in: 300, extra: [1, 2, 3]).bytes, as: UTF8.self)
    let hash = log.tree.leaf(at: 71).base64
    return [
      ("", .header), ("c2sp.org/tlog-proof@v1", .header), (text.replacing("@v1", with: "@v2"), .header),
      ("c2sp.org/tlog-proof@v1\n", .ended(line: 2)), (text.replacing("extra AQID", with: "extra AQI"), .extra),
      (text.replacing("extra AQID", with: "extra "), .extra),
      (text.replacing("extra AQID", with: "extra"), .index("extra")),
      (text.replacing("extra AQID", with: "extra AQID\nextra AQID"), .index("extra AQID")),
      (text.replacing("extra", with: "Extra"), .index("Extra AQID")),
      (text.replacing("index 70", with: "index 070"), .index("index 070")),
      (text.replacing("index 70", with: "index -1"), .index("index -1")),
      (text.replacing("index 70", with: "index  70"), .index("index  70")),
      (text.replacing("index 70", with: "index 9223372036854775808"), .index("index 9223372036854775808")),
      (text.replacing("index 70\n", with: ""), .index(String(hash.prefix(40)) + "…")),
      (text.replacing(hash, with: hash + " "), .hash(line: 4)),
      (text.replacing(hash, with: String(hash.dropLast())), .hash(line: 4)),
      (text.replacing(hash, with: [String](repeating: hash, count: 64).joined(separator: "\n")), .tooManyHashes),
      (text.replacing("\n\n— ", with: "\n— "), .checkpoint(.note(.noSignatures))),
      (text.replacing("\n\nlog.", with: "\nlog."), .hash(line: 13)),
      (String(text.dropLast()), .checkpoint(.note(.unfinishedLine))),
      (text + "\n", .checkpoint(.note(.noSignatures))),
      (text.replacing("\n300\n", with: "\n0300\n"), .checkpoint(.size("0300"))),
      (text + String(repeating: "x", count: 512 << 10), .tooLong(byteCount: text.utf8.count + (512 << 10))),
    ]
  }()

  @Test(arguments: refused.indices) func formsAreStrict(_ index: Int) {
    let (text, rejection) = Self.refused[index]
    #expect(throws: rejection) { try InclusionEvidence(parsing: Array(text.utf8)) }
    #expect(!rejection.description.contains("\n"))
  }

  @Test func limitsHoldForWhatWeWrite() throws {
    let signed = try Self.log.checkpoint(at: 300)
    let hash = Self.log.tree.root
    #expect(throws: InclusionEvidenceRejection.extra) {
      try InclusionEvidence(extra: [], index: 0, hashes: [], signed: signed)
    }
    #expect(throws: InclusionEvidenceRejection.extra) {
      try InclusionEvidence(extra: [UInt8](repeating: 0, count: (64 << 10) + 1), index: 0, hashes: [], signed: signed)
    }
    let largest = try InclusionEvidence(
      extra: [UInt8](repeating: 0, count: 64 << 10), index: UInt64(Int64.max),
      hashes: [MerkleHash](repeating: hash, count: 63), signed: signed)
    #expect(try InclusionEvidence(parsing: largest.bytes) == largest)
    #expect(throws: InclusionEvidenceRejection.tooManyHashes) {
      try InclusionEvidence(index: 0, hashes: [MerkleHash](repeating: hash, count: 64), signed: signed)
    }
    #expect(throws: InclusionEvidenceRejection.self) {
      try InclusionEvidence(index: 1 << 63, hashes: [], signed: signed)
    }
  }
}
