public import Digests
public import ModelGraph

/// What giving a model a name did.
public struct ModelNaming: Sendable, Equatable {
  public var digest: Digest<ModelManifest>
  /// The model that had the name before; it stays in the store.
  public var previous: Digest<ModelManifest>?

  public init(digest: Digest<ModelManifest>, previous: Digest<ModelManifest>?) {
    self.digest = digest
    self.previous = previous
  }
}

extension ModelStore {
  /// The model that a name stands for; nil when the name is free.
  ///
  /// - Throws: ``StoreRejection/reservedName(_:)`` for the built-in model's name, ``FileFailure``.
  public func model(named name: ModelName) throws -> Digest<ModelManifest>? {
    try refuseReserved(name)
    let lock = readLock()
    defer { withExtendedLifetime(lock) {} }
    return try tagged().first { $0.name == name }?.digest
  }

  /// Gives the model that `argument` means another name. The content is shared; only what comes from
  /// outside the store, a pack or the built-in model, is copied into it.
  ///
  /// - Throws: ``StoreRejection``, ``LoadRejection``, ``PackRejection``, ``FileFailure``.
  @discardableResult
  public func copy(_ argument: String, to name: ModelName) throws -> ModelNaming {
    try refuseReserved(name)
    let reference = try resolve(argument)
    guard case .stored(let found) = reference else {
      let model = try open(reference)
      let previous = try tagged().first { $0.name == name }?.digest
      try add(model, as: name)
      return ModelNaming(digest: model.digest, previous: previous == model.digest ? nil : previous)
    }
    let lock = try FileLock(lockPath, .exclusive)
    defer { withExtendedLifetime(lock) {} }
    let names = try tagged()
    // Another process may have removed or replaced it between the two looks.
    let digest = names.first { $0.name.text == argument }?.digest ?? found
    guard try FileSystem.kind(of: path(of: digest)) == .file else {
      throw StoreRejection.unknownModel(argument, known: [EmbeddedModel.name] + names.map(\.name.text))
    }
    let tag = try TemporaryFile(in: tags)
    try tag.write(ModelStore.tagContent(digest))
    try tag.publish(as: name.text)
    let previous = names.first { $0.name == name }?.digest
    return ModelNaming(digest: digest, previous: previous == digest ? nil : previous)
  }

  /// The stored model that came from a hub's repository; of several the one imported last.
  ///
  /// - Throws: ``StoreRejection/notPulled(_:)`` where there is none and the text could name a repository,
  ///   ``FileFailure`` otherwise.
  func resolveRepository(_ text: String) throws -> ModelReference {
    guard ModelStore.isRepository(text) else { throw FileFailure.missing(text) }
    let lock = readLock()
    defer { withExtendedLifetime(lock) {} }
    let found = try manifestDigests()
      .compactMap { digest in provenance(of: digest).map { (digest: digest, provenance: $0) } }
      .filter { $0.provenance.hub?.repository.utf8.elementsEqual(text.utf8) ?? false }
      .max { $0.provenance.importedAt < $1.provenance.importedAt }
    guard let found else { throw StoreRejection.notPulled(text) }
    return .stored(found.digest)
  }

  /// Whether a text has the form of `org/name[@revision][:file]`.
  static func isRepository(_ text: String) -> Bool {
    let allowed = { (b: UInt8) in
      (0x61...0x7A).contains(b) || (0x41...0x5A).contains(b) || (0x30...0x39).contains(b)
        || [0x2D, 0x2E, 0x5F].contains(b)
    }
    let head = text.utf8.prefix { $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: ":") }
    let parts = head.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        part.first.map { $0 != 0x2D && $0 != 0x2E } ?? false && part.allSatisfy(allowed)
      }
  }
}
