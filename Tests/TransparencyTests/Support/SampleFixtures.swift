import Digests
import TestSupport
import Testing
import Transparency

/// What is committed of a log that our code wrote: for readers in other languages, and as seeds of the fuzzer.
enum SampleFixtures {
  static let size = 300

  /// Paths below `Fixtures`, and bytes. Nothing in them depends on the time or on chance.
  static func files() throws -> [String: [UInt8]] {
    let log = SampleLog(size: size)
    var files: [String: [UInt8]] = [:]
    for (path, bytes) in try log.files() { files["log/" + path] = bytes }
    files["log.policy"] = Array(SampleLog.policyText.utf8)
    files["entry-70.tlog-proof"] = try log.evidence(of: 70, in: 300, extra: Array("extra".utf8)).bytes
    files["entry-299-two-witnesses.tlog-proof"] = try log.evidence(of: 299, in: 300, witnesses: [0, 2]).bytes
    files["checkpoint-100"] = try log.checkpoint(at: 100).bytes
    let consistency = log.tree.consistencyProof(from: 100, to: 300)
    files["consistency-100-300"] = Array(consistency.hashes.map { $0.base64 + "\n" }.joined().utf8)
    for (path, bytes) in try seeds(log) { files["fuzz/" + path] = bytes }
    return files
  }

  private static func seeds(_ log: SampleLog) throws -> [String: [UInt8]] {
    let signed = try log.checkpoint(at: 300)
    let inclusion = log.tree.inclusionProof(of: 70, in: 300)
    let consistency = log.tree.consistencyProof(from: 100, to: 300)
    func proof(_ x: UInt64, _ y: UInt64, _ a: MerkleHash, _ b: MerkleHash, _ hashes: [MerkleHash]) -> [UInt8] {
      x.bigEndianBytes + y.bigEndianBytes + UInt64(300).bigEndianBytes + a.bytes + b.bytes + hashes.flatMap(\.bytes)
    }
    let root = log.tree.root
    let entries = try EntryBundle(Array(log.entries.prefix(3)))
    return [
      "note/sample": signed.bytes,
      "note/poem": Array(
        "One line\n\nanother\n\n— name.example/x \(Base64.string(signed.note.signatures[0].signature))\n".utf8),
      "signatureLine/log": signed.note.signatures[0].line.dropLast(),
      "signatureLine/witness": signed.note.signatures[1].line.dropLast(),
      "verifierKey/log": Array(SampleLog.signer.verifierKey.description.utf8),
      "verifierKey/witness": Array(SampleLog.witnesses[0].verifierKey.description.utf8),
      "secretKey/log": Array(
        try NoteSigner.secretKeyText(name: "log.example/x", seed: [UInt8](repeating: 5, count: 32)).utf8),
      "secretKey/witness": Array(
        try CosignatureSigner.secretKeyText(name: "w.example/x", seed: [UInt8](repeating: 5, count: 32)).utf8),
      "checkpoint/sample": signed.checkpoint.text,
      "signedCheckpoint/sample": signed.bytes,
      "tilePath/large": Array("tile/0/x001/x234/067".utf8),
      "tilePath/partial": Array("tile/entries/273.p/112".utf8),
      "tile/three": Array(log.tree.leaf(at: 0).bytes + log.tree.leaf(at: 1).bytes + log.tree.leaf(at: 2).bytes),
      "bundle/three": [3] + entries.bytes,
      "proof/inclusion": proof(70, 300, log.tree.leaf(at: 70), root, inclusion.hashes),
      "proof/consistency": proof(100, 300, log.tree.root(at: 100), root, consistency.hashes),
      "proof/subtree": proof(
        64, 128, log.tree.subtreeHash(64..<128), root, log.tree.consistencyProof(of: 64..<128, in: 300).hashes),
      "evidence/sample": try log.evidence(of: 70, in: 300, extra: Array("extra".utf8)).bytes,
      "policy/sample": Array(SampleLog.policyText.utf8),
      "addCheckpoint/sample": try AddCheckpointRequest(oldSize: 100, hashes: consistency.hashes, signed: signed).bytes,
    ]
  }
}

@Suite struct SampleFixtureTests {
  /// `EVIDENT_WRITE_FIXTURES=1 swift test --filter SampleFixtureTests` writes them again.
  @Test func committedFilesAreWhatOurCodeWrites() throws {
    let files = try SampleFixtures.files()
    if TestFiles.environment("EVIDENT_WRITE_FIXTURES") != nil {
      for (path, bytes) in files { try TestFiles.write(bytes, to: TestFiles.fixtures + "/" + path) }
    }
    for (path, bytes) in files { #expect(try TestFiles.bytes(TestFiles.fixtures + "/" + path) == bytes, "\(path)") }
    // Nothing else is there, except what the fuzzer found.
    for path in try TestFiles.files(below: TestFiles.fixtures) where files[path] == nil {
      #expect(path.hasPrefix("fuzz/"), "\(path)")
    }
  }
}
