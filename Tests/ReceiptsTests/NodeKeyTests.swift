import Crypto
import Digests
import Receipts
import Testing

@Suite struct NodeKeyTests {
  /// RFC 8032, section 7.1, test 2.
  @Test func signsAsTheStandardSays() throws {
    let seed = try #require(Hex.bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    let key = try #require(NodeSigningKey(seed: seed))
    #expect(key.publicKey.hex == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    let signature = key.sign([0x72])
    #expect(
      Hex.string(signature)
        == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    #expect(key.publicKey.verifies(signature, of: [0x72]) && !key.publicKey.verifies(signature, of: [0x73]))
    #expect(!key.publicKey.verifies(Array(signature.dropLast()), of: [0x72]))
    #expect(NodeSigningKey(seed: Array(seed.dropLast())) == nil)
  }

  /// Under a key of small order one signature fits every message: such a key binds nobody.
  @Test func keysOfSmallOrderAreRefused() throws {
    let identity: [UInt8] = [1] + Array(repeating: 0, count: 31)
    let anyone = identity + Array(repeating: 0, count: 32)
    let accepted = try Curve25519.Signing.PublicKey(rawRepresentation: identity)
    #expect(accepted.isValidSignature(anyone, for: Array("anything".utf8)))
    #expect(NodePublicKey(bytes: identity) == nil)
    #expect(NodePublicKey(bytes: [1] + Array(repeating: 0, count: 30) + [0x80]) == nil)
    #expect(NodePublicKey(hex: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") == nil)
    #expect(NodePublicKey(hex: Sample.key.publicKey.hex) == Sample.key.publicKey)
  }

  /// A signature has one spelling: s + L would be a second one.
  @Test func signaturesCannotBeRespelt() {
    let signature = Sample.key.sign([1, 2, 3])
    let order = Hex.bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")!
    var carry = 0
    var respelt = Array(signature[..<32])
    for (a, b) in zip(signature[32...], order) {
      let sum = Int(a) + Int(b) + carry
      respelt.append(UInt8(sum & 0xFF))
      carry = sum >> 8
    }
    #expect(Sample.key.publicKey.verifies(signature, of: [1, 2, 3]))
    #expect(!Sample.key.publicKey.verifies(respelt, of: [1, 2, 3]))
  }
}
