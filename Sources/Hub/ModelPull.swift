public import Digests
import Foundation
public import ModelFiles
public import ModelGraph

/// What a person may want to know while a model is pulled.
public enum PullEvent: Sendable {
  /// Another process pulls from the same repository; it goes first.
  case waiting
  /// What is needed, and how much of it is here already.
  case found(files: Int, bytes: Int, bytesPresent: Int)
  case progress(bytesDone: Int, bytesTotal: Int)
  case retrying(reason: String, seconds: Double)
  case damagedCache(path: String)
  /// Bytes that are on this machine are hashed before they are used.
  case checking(what: String, bytes: Int)
  case importing
}

/// What a pull did.
public struct PullOutcome: Sendable {
  public var digest: Digest<ModelManifest>
  public var name: ModelName
  public var commit: String
  public var licence: String?
  /// Bytes that came over the network.
  public var bytesDownloaded: Int
  /// Bytes that were in the Hugging Face cache.
  public var bytesCached: Int
  /// The model was in the store already.
  public var wasPresent: Bool
  /// Where the files are, when they were to be kept.
  public var folder: String?
}

/// Fetches a model from a hub, or from the Hugging Face cache, and imports it.
public struct ModelPull: Sendable {
  public struct Options: Sendable {
    public var name: ModelName?
    public var connections = 4
    /// Attempts without any success in between, after the first.
    public var retries = 5
    public var keep = false
    /// Nil to look at no signature.
    public var signatures: SignaturePolicy?
    public var importing: ImportOptions

    public init(importing: ImportOptions) { self.importing = importing }
  }

  let reference: HubReference
  let settings: HubSettings
  let store: ModelStore
  let options: Options
  let report: @Sendable (PullEvent) -> Void

  public init(
    _ reference: HubReference, settings: HubSettings, store: ModelStore, options: Options,
    report: @escaping @Sendable (PullEvent) -> Void
  ) {
    self.reference = reference
    self.settings = settings
    self.store = store
    self.options = options
    self.report = report
  }

  /// - Throws: ``HubFailure``, ``HubRejection``, `StoreRejection`, `FileFailure`, what an import throws,
  ///   what the judge of signatures throws,
  ///   `CancellationError`. What has arrived is kept in any case but a wrong digest.
  public func run() async throws -> PullOutcome {
    let client = settings.offline ? nil : try HubClient(settings: settings, connections: options.connections)
    do {
      let outcome = try await run(client)
      await client?.shutdown()
      return outcome
    } catch {
      await client?.shutdown()
      throw error
    }
  }

  private func run(_ client: HubClient?) async throws -> PullOutcome {
    let cache = HuggingFaceCache(folder: settings.cacheFolder, repository: reference.repository)
    let listing: RepositoryListing
    if let client {
      listing = try await client.listing(of: reference, retries: options.retries, report: report)
    } else {
      guard let commit = cache.commit(of: reference.revision) else {
        if let outcome = try remembered() { return outcome }
        throw HubFailure.notCached("\(reference)", folder: cache.folder)
      }
      listing = cache.listing(of: commit)
    }
    let selection = try FileSelection.choose(listing, repository: reference.repository, file: reference.file)
    let name = try chosenName(selection)

    let folder = try store.openDownloads(reference.repository.replacing("/", with: "--")) { report(.waiting) }
    var acquisition = FileAcquisition(
      reference: reference, listing: listing, folder: folder, cache: cache, client: client, options: options,
      report: report)
    let signature = try await judgement(on: selection, listing, &acquisition)
    try signature?.admit(selection.files, of: selection, listing)
    if let present = try presentModel(selection, listing) {
      try signature?.admit(store.sourceFiles(of: present.digest), paths: present.paths)
      if try give(name, to: present.digest) {
        try folder.remove([])
        return PullOutcome(
          digest: present.digest, name: name, commit: listing.commit, licence: listing.licence,
          bytesDownloaded: acquisition.bytesDownloaded, bytesCached: acquisition.bytesCached, wasPresent: true,
          folder: nil)
      }
    }

    let card = listing.licence == nil ? listing.file("README.md").map { $0.bytes <= 1 << 20 ? [$0] : [] } ?? [] : []
    let files: [RemoteFile]
    switch selection {
    case .gguf(let parts):
      files = parts
      try await acquisition.obtain(card + files)
    case .directory(let texts, let weights):
      try await acquisition.obtain(card + texts)
      try signature?.admit(texts, in: folder)
      // Gigabytes of a model that cannot be imported are not worth fetching.
      try ImportPreflight.check(directory: folder.path)
      try await acquisition.obtain([weights])
      let shards = weights.path == FileSelection.index ? try shards(of: folder.path(of: weights.path), listing) : []
      files = texts + [weights] + shards
      try signature?.admit(files, of: selection, listing)
      try await acquisition.obtain(shards)
    }
    // A GGUF model is opened by its first part, a directory as such.
    var source = folder.path
    if case .gguf(let parts) = selection, let first = parts.first { source = folder.path(of: first.path) }
    let licence = listing.licence ?? Licence.of(folder: folder.path) ?? Licence.of(gguf: source)
    try folder.removeFiles(except: Set(files.map(\.path)))

    report(.importing)
    let provenance = ModelProvenance(
      importedAt: Int(Date().timeIntervalSince1970), licence: licence,
      hub: ModelProvenance.Hub(
        endpoint: settings.endpoint.description, repository: reference.repository, revision: reference.revision,
        commit: listing.commit, files: ModelPull.record(files)),
      weights: options.importing.weights.rawValue)
    var importing = options.importing
    importing.checkSources = { sources in
      try ModelPull.check(sources, files)
      try signature?.admit(sources, paths: files.map(\.path))
    }
    let digest = try store.importModel(directory: source, as: name, options: importing, provenance: provenance)
    if !options.keep { try folder.remove(files.map(\.path)) }
    return PullOutcome(
      digest: digest, name: name, commit: listing.commit, licence: licence,
      bytesDownloaded: acquisition.bytesDownloaded, bytesCached: acquisition.bytesCached, wasPresent: false,
      folder: options.keep ? folder.path : nil)
  }

  /// What the import read is what the hub states: nobody changed a file after it was checked.
  private static func check(_ read: [ModelManifest.SourceFile], _ files: [RemoteFile]) throws(HubRejection) {
    for source in read {
      guard let file = files.first(where: { $0.path == source.name || $0.name == source.name }),
        case .sha256(let stated)? = file.identity, source.digest.hex != stated
      else { continue }
      throw .wrongDigest(file: file.path, found: source.digest.description, stated: "sha256:\(stated)")
    }
  }

  /// The name to keep the model under. A name that nobody chose must not be taken from another model.
  private func chosenName(_ selection: FileSelection) throws -> ModelName {
    let name = try options.name ?? ModelName(selection.defaultName(for: reference))
    let owner = try store.model(named: name)
    if options.name == nil, let owner {
      let origin = store.provenance(of: owner)?.hub?.repository
      guard origin == reference.repository else {
        throw HubFailure.nameTaken(name.text, by: origin.map { "a model from \($0)" } ?? "\(owner)")
      }
    }
    return name
  }

  /// - Returns: false when another process has removed the model meanwhile.
  private func give(_ name: ModelName, to digest: Digest<ModelManifest>) throws -> Bool {
    do {
      if try store.model(named: name) != digest { try store.copy(digest.description, to: name) }
      return true
    } catch StoreRejection.unknownModel {
      return false
    }
  }

  private static func record(_ files: [RemoteFile]) -> [ModelProvenance.File] {
    files.map { .init(path: $0.path, identity: $0.identity?.description ?? "unknown", bytes: $0.bytes) }
      .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// A stored model that was pulled under the same reference; what it was is not looked up anywhere.
  private func remembered() throws -> PullOutcome? {
    for model in try store.list() where model.origin == .store {
      guard let origin = store.provenance(of: model.digest), let hub = origin.hub,
        hub.repository == reference.repository, [hub.revision, hub.commit].contains(reference.revision),
        origin.weights == options.importing.weights.rawValue
      else { continue }
      let listing = RepositoryListing(
        commit: hub.commit, files: hub.files.map { RemoteFile(path: $0.path, bytes: $0.bytes, identity: nil) })
      guard let selection = try? FileSelection.choose(listing, repository: hub.repository, file: reference.file),
        try isSound(model.digest)
      else { continue }
      let name = try chosenName(selection)
      // What is remembered of a signature is a note for people; here is none to be judged.
      let signature = try options.signatures.map { SignatureJudgement(folder: "", check: try $0.judge(nil)) }
      try signature?.admit(store.sourceFiles(of: model.digest), paths: hub.files.map(\.path))
      guard try give(name, to: model.digest) else { continue }
      return PullOutcome(
        digest: model.digest, name: name, commit: hub.commit, licence: origin.licence, bytesDownloaded: 0,
        bytesCached: 0, wasPresent: true, folder: nil)
    }
    return nil
  }

  /// A stored model made of exactly these files whose bytes are all as they should be.
  private func presentModel(
    _ selection: FileSelection, _ listing: RepositoryListing
  ) throws -> (digest: Digest<ModelManifest>, paths: [String])? {
    let chosen = selection.files
    guard chosen.allSatisfy({ $0.identity != nil }) else { return nil }
    let wanted = Set(ModelPull.record(chosen).map { "\($0.path) \($0.identity)" })
    for model in try store.list() where model.origin == .store {
      guard let origin = store.provenance(of: model.digest), let hub = origin.hub,
        hub.repository == reference.repository, origin.weights == options.importing.weights.rawValue
      else { continue }
      // Shards are those of the index, which is the same; the hub must still have them.
      let used = Set(hub.files.map { "\($0.path) \($0.identity)" })
      let others = hub.files.filter { !wanted.contains("\($0.path) \($0.identity)") }
      guard wanted.isSubset(of: used),
        others.allSatisfy({ other in
          other.path.hasSuffix(".safetensors") && listing.file(other.path)?.identity?.description == other.identity
        })
      else { continue }
      report(.checking(what: "the model in the store", bytes: model.bytes))
      if try isSound(model.digest) { return (model.digest, hub.files.map(\.path)) }
    }
    return nil
  }

  /// Whether every byte of a stored model is as it should be.
  ///
  /// - Throws: `CancellationError` only.
  private func isSound(_ model: Digest<ModelManifest>) throws -> Bool {
    do {
      _ = try store.open(.stored(model))
      return true
    } catch let error as CancellationError {
      throw error
    } catch {
      return false
    }
  }

  private func shards(of index: String, _ listing: RepositoryListing) throws -> [RemoteFile] {
    try ImportPreflight.shards(index: index).map { name in
      guard let file = listing.file(name) else {
        throw HubRejection.missingFile(
          name, repository: reference.repository, hint: "its index lists it; the upload may be incomplete")
      }
      return file
    }
  }
}
