public import Digests

/// A file and what is in it.
public struct SignedFile: Sendable, Equatable {
  /// The path below the signed folder, with `/`; `.` when a single file was signed.
  public let name: String
  public let digest: Digest<SignedFile>

  public init(name: String, digest: Digest<SignedFile>) {
    self.name = name
    self.digest = digest
  }
}

/// What the signer of a model says: these files, with these digests.
///
/// Source: docs/spec/signing.md, section 2; in-toto Statement v1, OpenSSF model signing v1.0.
public struct ModelStatement: Sendable, Equatable {
  public static let type = "https://in-toto.io/Statement/v1"
  public static let predicateType = "https://model_signing/signature/v1.0"
  static let olderPredicateType = "https://model_signing/Digests/v0.1"

  /// For people; nothing depends on it.
  public let modelName: String
  public let allowsSymlinks: Bool
  /// Files and folders that are no part of what is signed.
  public let ignoredPaths: [String]
  /// In the order of the statement; no name occurs twice.
  public let files: [SignedFile]

  /// Puts the files in order: by components, each compared by bytes.
  public init(modelName: String, allowsSymlinks: Bool = false, ignoredPaths: [String], files: [SignedFile]) {
    self.modelName = modelName
    self.allowsSymlinks = allowsSymlinks
    self.ignoredPaths = ignoredPaths
    self.files = files.sorted { FileName.precedes($0.name, $1.name) }
  }

  /// SHA-256 over the digests of all files, one after the other.
  public var digest: Digest<ModelStatement> {
    var digest = StreamingDigest<ModelStatement>()
    for file in files { digest.update(file.digest.bytes) }
    return digest.finalized()
  }

  public var bytes: [UInt8] {
    let json: JSON = [
      "_type": .string(ModelStatement.type),
      "subject": [["name": .string(modelName), "digest": ["sha256": .string(digest.hex)]]],
      "predicateType": .string(ModelStatement.predicateType),
      "predicate": [
        "serialization": [
          "method": "files", "hash_type": "sha256", "allow_symlinks": .bool(allowsSymlinks),
          "ignore_paths": .array(ignoredPaths.map { .string($0) }),
        ],
        "resources": .array(
          files.map { ["name": .string($0.name), "algorithm": "sha256", "digest": .string($0.digest.hex)] }),
      ],
    ]
    return Array(json.text().utf8)
  }

  /// - Throws: ``SignatureRejection`` naming the first member that is not as specified.
  public init(_ bytes: [UInt8]) throws(SignatureRejection) {
    let json: JSON
    do {
      json = try JSON.parse(
        bytes, bytesMax: SignatureLimits.bundleBytesMax, depthMax: SignatureLimits.depthMax)
    } catch {
      throw .notJSON(.statement, error)
    }
    if let kind = UnsupportedSignature(json) { throw .unsupported(kind) }
    let parts: Parts
    do { parts = try Parts(json) } catch { throw .field(.statement, error) }
    modelName = parts.modelName
    allowsSymlinks = parts.allowsSymlinks
    ignoredPaths = parts.ignoredPaths
    files = parts.files
    for path in ignoredPaths {
      if let problem = FileName.problem(path) { throw .fileName(path, problem: problem) }
    }
    var seen: Set<[UInt8]> = []
    for file in files {
      let isWhole = file.name == "." && files.count == 1
      if !isWhole, let problem = FileName.problem(file.name) { throw .fileName(file.name, problem: problem) }
      guard seen.insert(Array(file.name.utf8)).inserted else { throw .listedTwice(file.name) }
    }
    guard digest.hex == parts.digest else { throw .inconsistent(found: digest.hex, stated: parts.digest) }
  }

  /// What the members hold, when all are as they should be.
  ///
  /// Members that are not known are passed over in the statement and its predicate, where their
  /// specifications ask for it, and nowhere else.
  private struct Parts {
    let modelName: String
    let digest: String
    let allowsSymlinks: Bool
    var ignoredPaths: [String] = []
    var files: [SignedFile] = []

    init(_ json: JSON) throws(FieldError) {
      var fields = try JSONFields(json, path: "")
      _ = try fields.choice("_type", [ModelStatement.type])
      let subjects = try fields.array("subject", countMax: 1)
      guard let first = subjects.first else { throw .outOfRange(path: "subject.count", value: 0, range: 1...1) }
      var subject = try JSONFields(first, path: "subject[0]")
      modelName = try subject.string("name", bytesMax: SignatureLimits.nameBytesMax)
      var digests = try subject.fields("digest")
      digest = try digests.digest("sha256", of: ModelStatement.self).hex
      try digests.finish()
      try subject.finish()
      _ = try fields.choice("predicateType", [ModelStatement.predicateType])

      var predicate = try fields.fields("predicate")
      var serialization = try predicate.fields("serialization")
      _ = try serialization.choice("method", ["files"])
      _ = try serialization.choice("hash_type", ["sha256"])
      let symlinks = try serialization.take("allow_symlinks")
      guard let allowed = symlinks.bool else {
        throw .wrongType(path: serialization.path(of: "allow_symlinks"), wanted: "a boolean", found: symlinks.kind)
      }
      allowsSymlinks = allowed
      if json["predicate"]?["serialization"]?["ignore_paths"] != nil {
        let paths = try serialization.array("ignore_paths", countMax: SignatureLimits.ignoredPathsMax)
        for (i, path) in paths.enumerated() {
          ignoredPaths.append(
            try JSONFields.string(
              path, path: serialization.path(of: "ignore_paths") + "[\(i)]", bytesMax: SignatureLimits.nameBytesMax))
        }
      }
      try serialization.finish()

      let resources = try predicate.array("resources", countMax: SignatureLimits.filesMax)
      guard !resources.isEmpty else {
        throw .outOfRange(path: "predicate.resources.count", value: 0, range: 1...SignatureLimits.filesMax)
      }
      files.reserveCapacity(resources.count)
      for (i, resource) in resources.enumerated() {
        var entry = try JSONFields(resource, path: "predicate.resources[\(i)]")
        let name = try entry.string("name", bytesMax: SignatureLimits.nameBytesMax)
        _ = try entry.choice("algorithm", ["sha256"])
        files.append(SignedFile(name: name, digest: try entry.digest("digest", of: SignedFile.self)))
        try entry.finish()
      }
    }
  }
}

extension UnsupportedSignature {
  /// The kinds that `model_signing` makes besides ours; nil for everything else.
  fileprivate init?(_ statement: JSON) {
    let serialization = statement["predicate"]?["serialization"]
    if statement["predicateType"]?.string == ModelStatement.olderPredicateType {
      self = .predicate(ModelStatement.olderPredicateType)
    } else if serialization?["method"]?.string == "shards" {
      self = .method("shards")
    } else if let hash = serialization?["hash_type"]?.string, ["blake2b", "blake3"].contains(hash) {
      self = .hash(hash)
    } else {
      return nil
    }
  }
}

extension JSONFields {
  fileprivate mutating func digest<Subject>(_ key: String, of _: Subject.Type) throws(FieldError) -> Digest<Subject> {
    let text = try string(key, bytesMax: 64)
    guard let digest = Digest<Subject>(hex: text) else {
      throw .notAllowed(path: path(of: key), value: text, wanted: "lower-case hex of 32 bytes")
    }
    return digest
  }
}
