public import Digests
public import ModelGraph

/// Where a model came from, as far as this machine remembers: `provenance/sha256-<hex>.json`.
///
/// No trust is put in it. It is no part of the model's identity, no verdict looks at it, and whoever can
/// write to the store can write anything into it. What is missing or unreadable counts as not known.
public struct ModelProvenance: Equatable, Sendable {
  /// A revision of a repository on a hub.
  public struct Hub: Equatable, Sendable {
    /// `https://huggingface.co`
    public var endpoint: String
    /// `org/name`
    public var repository: String
    /// What was asked for: a branch, a tag or a commit.
    public var revision: String
    /// What that was at the time.
    public var commit: String
    /// The files that were used, sorted by path.
    public var files: [File]

    public init(endpoint: String, repository: String, revision: String, commit: String, files: [File]) {
      self.endpoint = endpoint
      self.repository = repository
      self.revision = revision
      self.commit = commit
      self.files = files
    }
  }

  public struct File: Equatable, Sendable {
    public var path: String
    /// How the hub names the content: `sha256:…` or `git-sha1:…`.
    public var identity: String
    public var bytes: Int

    public init(path: String, identity: String, bytes: Int) {
      self.path = path
      self.identity = identity
      self.bytes = bytes
    }
  }

  /// Seconds since 1970.
  public var importedAt: Int
  /// As its publisher names it: `apache-2.0`.
  public var licence: String?
  public var hub: Hub?
  /// The folder or file on this machine, when it did not come from a hub.
  public var path: String?

  /// The format of weights that was asked for; see ``WeightFormat``.
  public var weights: String?

  public init(
    importedAt: Int, licence: String? = nil, hub: Hub? = nil, path: String? = nil, weights: String? = nil
  ) {
    self.importedAt = importedAt
    self.licence = licence
    self.hub = hub
    self.path = path
    self.weights = weights
  }
}

extension ModelProvenance {
  static let schema = "evident.provenance.v1"
  static let bytesMax = 4 << 20

  public var json: JSON {
    let source = hub.map { hub in
      [
        "endpoint": .string(hub.endpoint), "repository": .string(hub.repository), "revision": .string(hub.revision),
        "commit": .string(hub.commit),
        "files": .array(
          hub.files.map {
            ["path": .string($0.path), "identity": .string($0.identity), "bytes": .integer($0.bytes)]
          }),
      ] as JSON
    }
    return [
      "schema": .string(ModelProvenance.schema), "importedAt": .integer(importedAt),
      "licence": licence.map { .string($0) } ?? .null, "hub": source ?? .null,
      "path": path.map { .string($0) } ?? .null,
      "weights": weights.map { .string($0) } ?? .null,
    ]
  }

  /// Nil for anything that is not what ``json`` writes.
  init?(bytes: [UInt8]) {
    guard let json = try? JSON.parse(bytes, bytesMax: ModelProvenance.bytesMax, depthMax: 6),
      json["schema"]?.string == ModelProvenance.schema, let importedAt = json["importedAt"]?.integer
    else { return nil }
    self.init(
      importedAt: importedAt, licence: json["licence"]?.string, path: json["path"]?.string,
      weights: json["weights"]?.string)
    guard let source = json["hub"], !source.isNull else { return }
    guard let endpoint = source["endpoint"]?.string, let repository = source["repository"]?.string,
      let revision = source["revision"]?.string, let commit = source["commit"]?.string,
      let list = source["files"]?.array
    else { return nil }
    var files: [File] = []
    for item in list {
      guard let path = item["path"]?.string, let identity = item["identity"]?.string,
        let bytes = item["bytes"]?.integer
      else { return nil }
      files.append(File(path: path, identity: identity, bytes: bytes))
    }
    hub = Hub(endpoint: endpoint, repository: repository, revision: revision, commit: commit, files: files)
  }
}

extension ModelStore {
  var provenances: String { root + "/provenance" }

  func path(ofProvenance digest: Digest<ModelManifest>) -> String { "\(provenances)/sha256-\(digest.hex).json" }

  /// What is remembered about a stored model; nil when nothing is.
  public func provenance(of digest: Digest<ModelManifest>) -> ModelProvenance? {
    guard
      let bytes = try? FileSystem.contents(of: path(ofProvenance: digest), bytesMax: ModelProvenance.bytesMax)
    else { return nil }
    return ModelProvenance(bytes: bytes)
  }

  /// Removes what is remembered about models that are gone. The caller holds the lock.
  func removeUnusedProvenance() throws(FileFailure) {
    let models = Set(try manifestDigests().map { "sha256-\($0.hex).json" })
    for name in try FileSystem.names(in: provenances)
    where name.utf8.starts(with: "sha256-".utf8) && !models.contains(name) {
      try FileSystem.remove("\(provenances)/\(name)")
    }
  }
}
