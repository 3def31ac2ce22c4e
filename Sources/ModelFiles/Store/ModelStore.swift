public import Digests
public import ModelGraph

/// Models on disk, by content. What is visible in it is complete; whatever a crash leaves behind is
/// swept up by the next process that opens the store.
///
///     blobs/sha256-<hex>            weights, tokenizers, templates
///     manifests/sha256-<hex>.json   one per model
///     tags/<name>                   the digest that a name stands for
///     signatures/sha256-<hex>.json  who signed what a model was imported from, if that is known
///     provenance/sha256-<hex>.json  where a model came from; see ``ModelProvenance``
///     downloads/<name>/             files on their way in; see ``DownloadFolder``
///
/// Not trusted: whoever can write to it can at most make models fail to load, because bytes are checked
/// against the digest that was asked for.
public struct ModelStore: Sendable {
  public let root: String

  /// Opens a store, which need not exist yet, and sweeps up what dead processes left, as far as possible.
  public init(root: String) {
    self.root = root
    sweep()
  }

  /// Where models are kept: `$EVIDENT_MODELS`, or `$XDG_DATA_HOME/evident/models`, by default
  /// `~/.local/share/evident/models`.
  public static func defaultRoot(environment: [String: String]) -> String {
    func value(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
    if let models = value("EVIDENT_MODELS") { return models }
    if let data = value("XDG_DATA_HOME"), data.utf8.first == UInt8(ascii: "/") { return data + "/evident/models" }
    return (value("HOME") ?? ".") + "/.local/share/evident/models"
  }

  var blobs: String { root + "/blobs" }
  var manifests: String { root + "/manifests" }
  var tags: String { root + "/tags" }
  var signatures: String { root + "/signatures" }
  var folders: [String] { [blobs, manifests, tags, provenances, signatures] }
  var lockPath: String { root + "/.lock" }

  func path(of blob: Digest<ModelManifest.Blob>) -> String { "\(blobs)/sha256-\(blob.hex)" }
  func path(of manifest: Digest<ModelManifest>) -> String { "\(manifests)/sha256-\(manifest.hex).json" }

  /// Keeps others from changing the store while this one reads; nil where there is nothing to lock.
  func readLock() -> FileLock? { try? FileLock(lockPath, .shared) }

  // MARK: Looking

  /// Everything that can be named, the built-in model first, then by name.
  public func list() throws -> [ModelListing] {
    var models: [ModelListing] = []
    if let embedded = try? EmbeddedModel.load() {
      models.append(
        ModelListing(
          digest: embedded.digest, names: [EmbeddedModel.name], origin: .embedded, manifest: embedded.manifest,
          problem: nil))
    }
    let lock = readLock()
    defer { withExtendedLifetime(lock) {} }
    let names = try tagged()
    var stored: [ModelListing] = []
    for digest in try manifestDigests() {
      var (manifest, problem): (ModelManifest?, String?)
      do { manifest = try self.manifest(digest) } catch { problem = "\(error)" }
      stored.append(
        ModelListing(
          digest: digest, names: names.filter { $0.digest == digest }.map(\.name.text), origin: .store,
          manifest: manifest, problem: problem))
    }
    stored.sort { a, b in
      switch (a.names.first, b.names.first) {
      case (let x?, let y?): FileSystem.precedes(x, y)
      case (nil, nil): FileSystem.precedes(a.digest.hex, b.digest.hex)
      case (let x, _): x != nil
      }
    }
    return models + stored
  }

  /// What a model argument means: a path to a pack, a name, or a digest of which at least six digits
  /// are given, with or without `sha256:`.
  ///
  /// - Throws: ``StoreRejection``, ``FileFailure``.
  public func resolve(_ argument: String) throws -> ModelReference {
    if argument.utf8.contains(UInt8(ascii: "/")) || argument.utf8.hasSuffix(".pack") || [".", ".."].contains(argument) {
      switch try FileSystem.kind(of: argument) {
      case .directory: throw StoreRejection.directory(argument)
      case .file: return .pack(path: argument)
      case .other: throw FileFailure.missing(argument)
      case nil: return try resolveRepository(argument)
      }
    }
    let lock = readLock()
    defer { withExtendedLifetime(lock) {} }
    return try resolveName(argument)
  }

  /// ``resolve(_:)`` for what is not a path. The caller holds the lock.
  func resolveName(_ argument: String) throws -> ModelReference {
    if argument == EmbeddedModel.name { return .embedded }
    let names = try tagged()
    if let tag = names.first(where: { $0.name.text == argument }) { return .stored(tag.digest) }
    let isExplicit = argument.utf8.starts(with: "sha256:".utf8)
    let prefix = isExplicit ? String(decoding: argument.utf8.dropFirst(7), as: UTF8.self) : argument
    if (6...64).contains(prefix.utf8.count),
      prefix.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    {
      var candidates = try manifestDigests().filter { $0.hex.utf8.starts(with: prefix.utf8) }
      let embedded = (try? EmbeddedModel.load())?.digest
      if let embedded, embedded.hex.utf8.starts(with: prefix.utf8), !candidates.contains(embedded) {
        candidates.append(embedded)
      }
      if candidates.count > 1 {
        throw StoreRejection.ambiguous(argument, candidates: candidates.map(\.description))
      }
      if let found = candidates.first { return found == embedded ? .embedded : .stored(found) }
    } else if !isExplicit {
      // Says what is wrong with something that could never be a name.
      _ = try ModelName(argument)
    }
    if try FileSystem.kind(of: argument) == .directory { throw StoreRejection.directory("./" + argument) }
    throw StoreRejection.unknownModel(argument, known: [EmbeddedModel.name] + names.map(\.name.text))
  }

  // MARK: Opening

  /// Opens the model that `argument` means.
  ///
  /// - Parameter checkingDigests: see ``LoadedModel``; without it a damaged weight goes unnoticed.
  /// - Throws: ``StoreRejection``, ``LoadRejection``, ``PackRejection``, ``FileFailure``.
  public func open(_ argument: String, checkingDigests: Bool = true) throws -> LoadedModel {
    try open(resolve(argument), checkingDigests: checkingDigests)
  }

  public func open(
    _ reference: ModelReference, checkingDigests: Bool = true, checkingWeights: Bool = true
  ) throws -> LoadedModel {
    switch reference {
    case .embedded: return try EmbeddedModel.load(checkingWeights: checkingDigests && checkingWeights)
    case .pack(let path): return try Pack.load(path: path, checkingDigests: checkingDigests)
    case .stored(let digest):
      // Once everything is mapped, a removal no longer matters.
      var lock = readLock()
      let bytes: [UInt8]
      do { bytes = try FileSystem.contents(of: path(of: digest), bytesMax: ModelManifest.bytesMax) } catch let failure
        as FileFailure where failure.isMissing
      {
        throw StoreRejection.unknownModel(digest.description, known: try manifestDigests().map(\.description))
      }
      return try LoadedModel(
        manifestBytes: bytes, digest: digest, checkingDigests: checkingDigests, checkingWeights: checkingWeights
      ) { manifest in
        let parts = LoadedModel.Parts(
          weights: try MappedFile(path: path(of: manifest.blobs.weights.digest)).bytes,
          tokenizer: try MappedFile(path: path(of: manifest.blobs.tokenizer.digest)).bytes,
          chatTemplate: try manifest.blobs.chatTemplate.map { try MappedFile(path: path(of: $0.digest)).bytes })
        withExtendedLifetime(lock) { lock = nil }
        return parts
      }
    }
  }

  // MARK: Reading the folders

  /// The digests that manifest files are named after, sorted.
  func manifestDigests() throws(FileFailure) -> [Digest<ModelManifest>] {
    try FileSystem.names(in: manifests).compactMap { name in
      guard name.utf8.hasSuffix(".json"), name.utf8.starts(with: "sha256-".utf8) else { return nil }
      return Digest(hex: String(decoding: name.utf8.dropFirst(7).dropLast(5), as: UTF8.self))
    }
  }

  /// A stored manifest, checked against its digest.
  func manifest(_ digest: Digest<ModelManifest>) throws -> ModelManifest {
    let bytes = try FileSystem.contents(of: path(of: digest), bytesMax: ModelManifest.bytesMax)
    let found = Digest<ModelManifest>(of: bytes)
    guard found == digest else {
      throw LoadRejection.digest(part: "manifest", found: found.description, stated: digest.description)
    }
    do throws(ManifestRejection) { return try ModelManifest(bytes: bytes) } catch {
      throw LoadRejection.manifest(error)
    }
  }

  /// The files that a stored model was made from.
  ///
  /// - Throws: ``LoadRejection``, ``FileFailure``.
  public func sourceFiles(of model: Digest<ModelManifest>) throws -> [ModelManifest.SourceFile] {
    try manifest(model).source.files
  }

  /// Names and what they stand for, sorted; files that are not tags are skipped, `verify` reports them.
  func tagged() throws(FileFailure) -> [(name: ModelName, digest: Digest<ModelManifest>)] {
    var list: [(name: ModelName, digest: Digest<ModelManifest>)] = []
    for file in try FileSystem.names(in: tags) {
      guard let name = try? ModelName(file),
        let bytes = try? FileSystem.contents(of: "\(tags)/\(file)", bytesMax: 128),
        let digest = ModelStore.tagDigest(bytes)
      else { continue }
      list.append((name, digest))
    }
    return list
  }

  /// The content of a tag: a digest and a line feed.
  static func tagContent(_ digest: Digest<ModelManifest>) -> [UInt8] { Array((digest.description + "\n").utf8) }

  static func tagDigest(_ bytes: [UInt8]) -> Digest<ModelManifest>? {
    guard bytes.last == 0x0A else { return nil }
    return Digest(String(decoding: bytes.dropLast(), as: UTF8.self))
  }
}

/// What a model argument stands for.
public enum ModelReference: Hashable, Sendable {
  case embedded
  case stored(Digest<ModelManifest>)
  case pack(path: String)
}

/// One model in a list.
public struct ModelListing: Sendable {
  public enum Origin: Sendable { case embedded, store }

  public let digest: Digest<ModelManifest>
  /// Possibly none: a model whose name was given to another stays until it is removed.
  public let names: [String]
  public let origin: Origin
  /// Nil when it cannot be read; ``problem`` then says why.
  public let manifest: ModelManifest?
  public let problem: String?

  /// What the blobs take on disk.
  public var bytes: Int { manifest?.blobs.all.reduce(0) { $0 + $1.bytes } ?? 0 }
}
