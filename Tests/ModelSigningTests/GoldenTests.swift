import Digests
import Foundation
import ModelSigning
import Testing

/// Signatures by the real model_signing, checked here.
@Suite struct GoldenTests {
  @Test(arguments: ["p256", "p384", "p521"])
  func signaturesOfEveryCurve(_ curve: String) throws {
    let signature = try Fixture.bytes("\(curve).sig")
    let signer = try Fixture.signer(curve)
    let others = try ["p256", "p384", "p521"].filter { $0 != curve }.map(Fixture.signer)
    #expect(Fixture.outcome(signature, trusted: others + [signer]) == "trusted \(curve)")
    let name = "unknown \(signer.key.fingerprint.prefix(8))"
    #expect(Fixture.outcome(signature, trusted: others) == "\(name) unchecked")
    #expect(Fixture.outcome(signature, trusted: others, companion: signer.key) == "\(name) checked")
    #expect(Fixture.outcome(signature, trusted: [], companion: others[0].key) == "\(name) unchecked")
  }

  /// What we would sign is what model_signing has signed: names, order and digests.
  @Test func ourStatementIsTheirs() throws {
    let bundle = try SignatureBundle(Fixture.bytes("p256.sig"))
    let theirs = try ModelStatement(bundle.payload)
    let listing = try FolderListing(Fixture.model, ignoring: ModelSigner.ignoredPaths, allowsSymlinks: false)
    let ours = ModelStatement(
      modelName: "model", ignoredPaths: ModelSigner.ignoredPaths, files: try listing.digests().shuffled())
    #expect(ours.files == theirs.files && ours.files.count == 9)
    #expect(ours.digest == theirs.digest && ours.modelName == theirs.modelName)
    #expect(Set(theirs.ignoredPaths).isSubset(of: ours.ignoredPaths))
    #expect(try ModelStatement(ours.bytes) == ours)
  }

  @Test(arguments: ["p256", "p384", "p521"])
  func ourOwnSignaturesAreAccepted(_ curve: String) throws {
    let key = try Fixture.privateKey(curve)
    let bytes = try FolderListing(Fixture.model, ignoring: [], allowsSymlinks: false).bytes
    var shown = 0
    let signature = try ModelSigner.sign(folder: Fixture.model, name: "model", key: key) { done, total in
      shown = done
      #expect(done <= total && total == bytes)
    }
    #expect(shown == bytes)
    #expect(try Fixture.outcome(signature, trusted: [Fixture.signer(curve)]) == "trusted \(curve)")
  }

  @Test func aSingleFile() throws {
    let check = try SignatureCheck(Fixture.bytes("single.sig"), trusted: [Fixture.signer("p256")])
    let result = try check.check(file: Fixture.model + "/a.txt", name: "a.txt")
    #expect(result.file("a.txt")?.digest == Digest(of: Array("beside a\n".utf8)))
    #expect(throws: SignatureRejection.filesDiffer(FileDifferences(changed: ["empty"]))) {
      try check.check(file: Fixture.model + "/empty", name: "empty")
    }
  }

  /// One file out of a folder that was signed as a whole.
  @Test func oneFileOfMany() throws {
    let check = try SignatureCheck(Fixture.bytes("p256.sig"), trusted: [Fixture.signer("p256")])
    #expect(try check.check(file: Fixture.model + "/a.txt", name: "a.txt").files == check.statement.files)
    #expect(throws: SignatureRejection.filesDiffer(FileDifferences(notSigned: ["b.txt"]))) {
      try check.check(file: Fixture.model + "/a.txt", name: "b.txt")
    }
    #expect(throws: SignatureRejection.filesDiffer(FileDifferences(changed: ["a.txt"]))) {
      try check.check(file: Fixture.model + "/empty", name: "a.txt")
    }
  }

  /// Files that the signer left out are no part of the outcome either.
  @Test func ignoredPathsAreNotCovered() throws {
    let check = try SignatureCheck(Fixture.bytes("partial.sig"), trusted: [Fixture.signer("p256")])
    let result = try check.check(folder: Fixture.model, signatureName: nil)
    #expect(result.file("a/y.txt") != nil)
    #expect(result.file("a.txt") == nil && result.file("deep/er/file.bin") == nil)
  }

  @Test(arguments: [
    ("shards.sig", UnsupportedSignature.method("shards")), ("blake2.sig", .hash("blake2b")),
    ("blake3.sig", .hash("blake3")), ("certificate.sig", .certificate),
  ])
  func otherKindsAreNamed(_ file: String, _ kind: UnsupportedSignature) throws {
    let (signature, signer) = (try Fixture.bytes(file), try Fixture.signer("p256"))
    #expect(throws: SignatureRejection.unsupported(kind)) { try SignatureCheck(signature, trusted: [signer]) }
    #expect(kind.remedy.contains("model_signing"))
  }

  /// With the signer's key at hand, a broken signature is broken, whatever kind it claims to be.
  @Test func brokenSignaturesOfOtherKindsAreBroken() throws {
    var text = String(decoding: try Fixture.bytes("shards.sig"), as: UTF8.self)
    text.replace("\"payload\":\"ewog", with: "\"payload\":\"ewoK")
    let (signature, signer) = (Array(text.utf8), try Fixture.signer("p256"))
    #expect(throws: SignatureRejection.invalid(fingerprint: signer.key.fingerprint)) {
      try SignatureCheck(signature, trusted: [signer])
    }
  }
}
