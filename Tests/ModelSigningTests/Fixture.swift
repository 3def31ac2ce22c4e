import Foundation
import ModelSigning
import TestSupport

/// What the PyPI package model_signing made: Fixtures/make_signatures.py.
enum Fixture {
  static let folder = (#filePath as NSString).deletingLastPathComponent + "/Fixtures"
  static let model = folder + "/model"

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
  }

  static func signer(_ curve: String) throws -> TrustedSigner {
    TrustedSigner(name: curve, key: try SigningPublicKey(pem: bytes("\(curve).pub.pem")))
  }

  static func privateKey(_ curve: String = "p256") throws -> SigningPrivateKey {
    try SigningPrivateKey(pem: bytes("\(curve).key.pem"))
  }

  /// A copy of the model that may be changed.
  static func copy() throws -> Folder {
    let copy = Folder()
    try FileManager.default.removeItem(atPath: copy.path)
    try FileManager.default.copyItem(atPath: model, toPath: copy.path)
    return copy
  }

  /// What came of checking a signature and the files it is about, in words.
  static func outcome(
    _ signature: [UInt8], trusted: [TrustedSigner], companion: SigningPublicKey? = nil, folder: String = model
  ) -> String {
    do {
      let result = try SignatureCheck(signature, trusted: trusted, companion: companion)
        .check(folder: folder, signatureName: nil)
      return switch result.standing {
      case .trusted(let signer): "trusted \(signer.name)"
      case .unknown(let fingerprint, let checked):
        "unknown \(fingerprint?.prefix(8) ?? "unnamed") \(checked ? "checked" : "unchecked")"
      }
    } catch {
      return "\(error)"
    }
  }
}

/// Numbers of a seed that is printed and can be given back.
struct SeededGenerator: RandomNumberGenerator {
  private var generator: SplitMix64

  /// A seed from `EVIDENT_TEST_SEED`, or a new one; printed either way.
  init(for test: String) {
    let seed =
      ProcessInfo.processInfo.environment["EVIDENT_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
    print("\(test): EVIDENT_TEST_SEED=\(seed)")
    generator = SplitMix64(seed: seed)
  }

  mutating func next() -> UInt64 {
    generator.next()
  }
}

/// A folder that goes away with the object.
final class Folder {
  let path = NSTemporaryDirectory() + "evident-signing-" + UUID().uuidString

  init() { try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, _ name: String) {
    let target = "\(path)/\(name)"
    try! FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: target, contents: Data(text.utf8))
  }

  func remove(_ name: String) { try! FileManager.default.removeItem(atPath: "\(path)/\(name)") }

  func link(_ name: String, to target: String) {
    try! FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
  }
}
