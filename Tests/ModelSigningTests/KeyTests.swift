import Digests
import Foundation
import ModelSigning
import Testing

@Suite struct KeyTests {
  /// The names that model_signing gives the keys.
  @Test(arguments: ["p256", "p384", "p521"])
  func fingerprintsAreThoseOfModelSigning(_ curve: String) throws {
    let expected = try JSON.parse(Fixture.bytes("fingerprints.json"))[curve]?.string
    let key = try Fixture.signer(curve).key
    #expect(key.fingerprint == expected)
    #expect(try Array(key.pem.utf8) == Fixture.bytes("\(curve).pub.pem"))
    #expect(try Fixture.privateKey(curve).publicKey == key)
    #expect(key.curveName == "P-" + curve.dropFirst())
  }

  @Test func privateKeysInOtherForms() throws {
    let plain = try Fixture.privateKey()
    #expect(try SigningPrivateKey(pem: Fixture.bytes("p256.sec1.key.pem")).publicKey == plain.publicKey)
    #expect(throws: SigningKeyRejection.encrypted) {
      try SigningPrivateKey(pem: Fixture.bytes("p256.encrypted.key.pem"))
    }
    #expect(throws: SigningKeyRejection.notOnACurve) { try SigningPrivateKey(pem: Fixture.bytes("secp256k1.key.pem")) }
    #expect(throws: SigningKeyRejection.noBlock("PRIVATE KEY")) {
      try SigningPrivateKey(pem: Fixture.bytes("p256.pub.pem"))
    }
  }

  @Test func whatIsNoPublicKey() throws {
    let good = String(decoding: try Fixture.bytes("p256.pub.pem"), as: UTF8.self)
    func rejection(_ text: String) -> SigningKeyRejection? {
      do throws(SigningKeyRejection) {
        _ = try SigningPublicKey(pem: Array(text.utf8))
        return nil
      } catch { return error }
    }
    #expect(rejection(good) == nil)
    #expect(rejection("A key of mine:\r\n" + good.replacing("\n", with: "\r\n")) == nil)
    #expect(rejection("") == .noBlock("PUBLIC KEY"))
    #expect(rejection(good.replacing("-----END PUBLIC KEY-----", with: "")) == .noBlock("PUBLIC KEY"))
    #expect(rejection(good.replacing("MFk", with: "MF!")) == .noBlock("PUBLIC KEY"))
    #expect(rejection(good.replacing("MFk", with: "MFg")) == .notOnACurve)
    // A point beside the curve.
    let lines = good.split(separator: "\n")
    let bent = lines[2].replacing("==", with: "").dropLast(4) + "AAAA" + "=="
    #expect(rejection([lines[0], lines[1], bent, lines[3]].joined(separator: "\n")) == .notOnACurve)
    #expect(rejection(String(decoding: try Fixture.bytes("rsa.pub.pem"), as: UTF8.self)) == .notOnACurve)
    #expect(rejection(String(decoding: try Fixture.bytes("secp256k1.pub.pem"), as: UTF8.self)) == .notOnACurve)
    #expect(rejection(String(repeating: "x", count: SignatureLimits.keyFileBytesMax + 1)) == .tooLong)
  }

  @Test func theKeyFileIsMadeOnceAndOnlyForItsOwner() throws {
    let folder = Folder()
    let path = folder.path + "/state/key.pem"
    let first = try SigningKeyFile.loadOrCreate(path: path)
    #expect(try SigningKeyFile.loadOrCreate(path: path).key.publicKey == first.key.publicKey)
    #expect(first.key.publicKey.curveName == "P-256")
    #expect(try mode(path) == 0o600 && mode(folder.path + "/state") == 0o700)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") == ["key.pem"])
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(throws: SigningKeyFailure.self) { try SigningKeyFile.loadOrCreate(path: path) }
    do { _ = try SigningKeyFile.load(path: path) } catch { #expect("\(error)".contains("chmod 600 \(path)")) }
    #expect(throws: SigningKeyFailure.self) { try SigningKeyFile.load(path: folder.path + "/none.pem") }
    #expect(try SigningKeyFile.loadIfPresent(path: folder.path + "/none.pem") == nil)
    folder.write("no key", "state/other.pem")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/state/other.pem")
    #expect(throws: SigningKeyFailure.self) { try SigningKeyFile.loadOrCreate(path: folder.path + "/state/other.pem") }
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }
}
