import Digests
import ModelSigning

/// What must happen to every field of a signature file when it is tampered with.
///
/// `[]` stands for the elements of an array. A field that is missing here fails the test, and so does
/// an entry without a field.
enum TamperManifest {
  struct Mutation {
    let value: JSON
    /// As ``Fixture/outcome(_:trusted:companion:folder:)`` puts it.
    let outcome: String
    init(_ value: JSON, _ outcome: String) {
      self.value = value
      self.outcome = outcome
    }
  }

  struct Entry {
    var mutations: [Mutation]
    /// Where it is not that the field is missing.
    var removed: String?
    /// For elements of arrays; a member twice is never JSON that is read.
    var duplicated: String?
    init(_ mutations: Mutation..., removed: String? = nil, duplicated: String? = nil) {
      self.mutations = mutations
      self.removed = removed
      self.duplicated = duplicated
    }
  }

  static let trusted = "trusted p256"
  private static let hex = JSON.string(String(repeating: "ab", count: 32))
  private static let upper = JSON.string(String(repeating: "AB", count: 32))
  private static func inBundle(_ text: String) -> String { "in the signature file, " + text }
  private static func inStatement(_ text: String) -> String { "in the signed statement, " + text }
  private static func wanted(_ path: String, _ value: String, _ wanted: String) -> String {
    "\(path) is \"\(value)\"; it must be \(wanted)"
  }
  private static let hexOf32 = "lower-case hex of 32 bytes"

  /// - Parameter fingerprint: the signer's.
  static func bundle(fingerprint: String) -> [String: Entry] {
    let invalid = "the signature was not made by the key that it names, \(fingerprint)"
    return [
      "mediaType": Entry(
        Mutation(
          "application/vnd.dev.sigstore.bundle+json;version=0.1",
          inBundle(
            wanted("mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.1", SignatureBundle.mediaType)))),
      "verificationMaterial": Entry(
        Mutation(.null, inBundle("verificationMaterial must be an object, and is null")),
        Mutation([:], inBundle("verificationMaterial.publicKey is missing")),
        Mutation(["certificate": ["rawBytes": "AAAA"]], "it was made with a certificate, not with a key")),
      "verificationMaterial.publicKey": Entry(
        Mutation("x", inBundle("verificationMaterial.publicKey must be an object, and is a string"))),
      "verificationMaterial.publicKey.hint": Entry(
        Mutation(hex, "unknown abababab unchecked"), Mutation("", trusted),
        Mutation(upper, inBundle(wanted("verificationMaterial.publicKey.hint", upper.string!, hexOf32))),
        Mutation(.null, inBundle("verificationMaterial.publicKey.hint must be a string, and is null")),
        removed: trusted),
      "verificationMaterial.tlogEntries": Entry(
        Mutation([[:]], inBundle("verificationMaterial.tlogEntries.count is 1; it must be in 0...0")),
        Mutation(.null, inBundle("verificationMaterial.tlogEntries must be an array, and is null")), removed: trusted),
      "dsseEnvelope": Entry(Mutation([], inBundle("dsseEnvelope must be an object, and is an array"))),
      "dsseEnvelope.payload": Entry(
        Mutation("e30=", invalid),
        Mutation(
          "e30", inBundle(wanted("dsseEnvelope.payload", "e30", "padded base64 in its one spelling"))),
        Mutation(1, inBundle("dsseEnvelope.payload must be a string, and is a number"))),
      "dsseEnvelope.payloadType": Entry(
        Mutation(
          "application/json",
          inBundle(wanted("dsseEnvelope.payloadType", "application/json", "application/vnd.in-toto+json")))),
      "dsseEnvelope.signatures": Entry(
        Mutation([], inBundle("dsseEnvelope.signatures.count is 0; it must be in 1...1")),
        Mutation(.null, inBundle("dsseEnvelope.signatures must be an array, and is null"))),
      "dsseEnvelope.signatures[]": Entry(
        Mutation(7, inBundle("dsseEnvelope.signatures[0] must be an object, and is a number")),
        removed: inBundle("dsseEnvelope.signatures.count is 0; it must be in 1...1"),
        duplicated: inBundle("dsseEnvelope.signatures.count is 2; it must be in 0...1")),
      "dsseEnvelope.signatures[].sig": Entry(
        Mutation("AAAA", invalid), Mutation("", invalid),
        // Two small numbers in DER.
        Mutation("MAYCAQECAQE=", invalid),
        Mutation(
          .string(String(repeating: "A", count: 1000)),
          inBundle("dsseEnvelope.signatures[0].sig.bytes is 1000; it must be in 0...344")),
        Mutation(
          "AA-_", inBundle(wanted("dsseEnvelope.signatures[0].sig", "AA-_", "padded base64 in its one spelling")))),
      // Nobody reads it, as DSSE has it.
      "dsseEnvelope.signatures[].keyid": Entry(
        Mutation("x", trusted),
        Mutation(.null, inBundle("dsseEnvelope.signatures[0].keyid must be a string, and is null")),
        removed: trusted),
    ]
  }

  /// What follows when the signer itself signs the altered statement.
  static let statement: [String: Entry] = [
    "_type": Entry(
      Mutation(
        "https://in-toto.io/Statement/v0.1",
        inStatement(wanted("_type", "https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1")))),
    "subject": Entry(
      Mutation([], inStatement("subject.count is 0; it must be in 1...1")),
      Mutation("x", inStatement("subject must be an array, and is a string"))),
    "subject[]": Entry(
      Mutation(7, inStatement("subject[0] must be an object, and is a number")),
      removed: inStatement("subject.count is 0; it must be in 1...1"),
      duplicated: inStatement("subject.count is 2; it must be in 0...1")),
    // For people only.
    "subject[].name": Entry(
      Mutation("other", trusted), Mutation(1, inStatement("subject[0].name must be a string, and is a number"))),
    "subject[].digest": Entry(Mutation(.null, inStatement("subject[0].digest must be an object, and is null"))),
    "subject[].digest.sha256": Entry(
      Mutation(hex, "INCONSISTENT \(String(repeating: "ab", count: 32))"),
      Mutation(upper, inStatement(wanted("subject[0].digest.sha256", upper.string!, hexOf32)))),
    "predicateType": Entry(
      Mutation(
        "https://model_signing/signature/v2.0",
        inStatement(
          wanted(
            "predicateType", "https://model_signing/signature/v2.0", "https://model_signing/signature/v1.0"))),
      Mutation(
        "https://model_signing/Digests/v0.1",
        "its statement has the older type \"https://model_signing/Digests/v0.1\"")),
    "predicate": Entry(Mutation(.null, inStatement("predicate must be an object, and is null"))),
    "predicate.serialization": Entry(
      Mutation("files", inStatement("predicate.serialization must be an object, and is a string"))),
    "predicate.serialization.method": Entry(
      Mutation("tensors", inStatement(wanted("predicate.serialization.method", "tensors", "files"))),
      Mutation("shards", "it lists \"shards\", not files")),
    "predicate.serialization.hash_type": Entry(
      Mutation("sha1", inStatement(wanted("predicate.serialization.hash_type", "sha1", "sha256"))),
      Mutation("blake3", "its digests are made with \"blake3\", not sha256")),
    "predicate.serialization.allow_symlinks": Entry(
      Mutation(true, trusted),
      Mutation("false", inStatement("predicate.serialization.allow_symlinks must be a boolean, and is a string"))),
    "predicate.serialization.ignore_paths": Entry(
      Mutation([], trusted),
      Mutation(["deep"], "the files are not those that were signed: missing: \"deep/er/file.bin\""),
      Mutation(["."], "the signed statement lists \".\", which is no file name: it does not lead straight down"),
      Mutation(["/etc"], "the signed statement lists \"/etc\", which is no file name: a component of it is empty"),
      Mutation([1], inStatement("predicate.serialization.ignore_paths[0] must be a string, and is a number")),
      Mutation(.null, inStatement("predicate.serialization.ignore_paths must be an array, and is null")),
      removed: trusted),
    "predicate.serialization.ignore_paths[]": Entry(
      Mutation("../x", "the signed statement lists \"../x\", which is no file name: it does not lead straight down"),
      removed: trusted, duplicated: trusted),
    "predicate.resources": Entry(
      Mutation([], inStatement("predicate.resources.count is 0; it must be in 1...32768")),
      Mutation([:], inStatement("predicate.resources must be an array, and is an object"))),
    "predicate.resources[]": Entry(
      Mutation("x", inStatement("predicate.resources[0] must be an object, and is a string")),
      removed: "INCONSISTENT", duplicated: "the signed statement lists \".hidden\" twice"),
    "predicate.resources[].name": Entry(
      Mutation(
        ".hidden2", "the files are not those that were signed: missing: \".hidden2\"; not signed: \".hidden\""),
      Mutation("a.txt", "the signed statement lists \"a.txt\" twice"),
      Mutation(
        "a/../.hidden",
        "the signed statement lists \"a/../.hidden\", which is no file name: it does not lead straight down"),
      Mutation("/x", "the signed statement lists \"/x\", which is no file name: a component of it is empty"),
      Mutation("", "the signed statement lists \"\", which is no file name: a component of it is empty"),
      Mutation(".", "the signed statement lists \".\", which is no file name: it does not lead straight down"),
      Mutation(
        "a\u{0}", "the signed statement lists \"a\\u{0}\", which is no file name: it holds a zero byte"),
      Mutation(
        .string(String(repeating: "d/", count: 32) + "f"),
        "the signed statement lists \"\(String(repeating: "d/", count: 32))f\", which is no file name: "
          + "it has more than 32 components"),
      Mutation(
        .string(String(repeating: "n", count: 1025)),
        inStatement("predicate.resources[0].name.bytes is 1025; it must be in 0...1024"))),
    "predicate.resources[].algorithm": Entry(
      Mutation("sha512", inStatement(wanted("predicate.resources[0].algorithm", "sha512", "sha256")))),
    "predicate.resources[].digest": Entry(
      Mutation(hex, "INCONSISTENT"),
      Mutation(upper, inStatement(wanted("predicate.resources[0].digest", upper.string!, hexOf32))),
      Mutation(["sha256": hex], inStatement("predicate.resources[0].digest must be a string, and is an object"))),
  ]

  /// Objects whose specifications ask to pass over members that are not known.
  static let open: Set<String> = ["", "predicate"]
}
