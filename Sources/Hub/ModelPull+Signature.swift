import Digests
import ModelFiles
import ModelGraph

/// A repository's signature once it has been judged, and the files to hold against it.
struct SignatureJudgement: Sendable {
  /// What the signature's names are relative to, with a slash at its end; empty for the repository itself.
  let folder: String
  let check: SignaturePolicy.Check

  /// Before anything large is fetched: what the hub states of the files, and whether one is missing.
  ///
  /// - Throws: what the policy throws.
  func admit(_ files: [RemoteFile], of selection: FileSelection, _ listing: RepositoryListing) throws {
    var isDirectory = false
    if case .directory = selection { isDirectory = true }
    try check(
      files.map { file in
        guard case .sha256(let hex)? = file.identity else { return PulledFile(name: name(of: file.path), sha256: nil) }
        return PulledFile(name: name(of: file.path), sha256: hex)
      }
    ) { isDirectory && FileSelection.isRead($0) && listing.file(folder + $0) == nil }
  }

  /// Small files that have arrived, whose digests the hub does not state.
  ///
  /// - Throws: what the policy throws, `FileFailure`.
  func admit(_ files: [RemoteFile], in folder: DownloadFolder) throws {
    try check(
      files.map { file in
        var digest = StreamingDigest<ModelManifest.SourceFile>()
        try FileReader(path: folder.path(of: file.path)).forEachPiece { digest.update($0) }
        return PulledFile(name: name(of: file.path), sha256: digest.finalized().hex)
      }
    ) { _ in false }
  }

  /// What an import has read of the files at `paths`.
  ///
  /// - Throws: what the policy throws.
  func admit(_ sources: [ModelManifest.SourceFile], paths: [String]) throws {
    try check(
      sources.map { source in
        // GGUF files are known to an import by their last component.
        let path = paths.first { $0 == source.name } ?? paths.first { $0.hasSuffix("/" + source.name) } ?? source.name
        return PulledFile(name: name(of: path), sha256: source.digest.hex)
      }
    ) { _ in false }
  }

  private func name(of path: String) -> String {
    path.utf8.starts(with: folder.utf8) ? String(decoding: path.utf8.dropFirst(folder.utf8.count), as: UTF8.self) : path
  }
}

extension ModelPull {
  /// Fetches the signature that covers what was chosen, and has it judged; nil where nobody asks.
  ///
  /// - Throws: what the policy throws, and what fetching throws.
  func judgement(
    on selection: FileSelection, _ listing: RepositoryListing, _ acquisition: inout FileAcquisition
  ) async throws -> SignatureJudgement? {
    guard let policy = options.signatures else { return nil }
    // As for an import: beside a directory's files, or beside a GGUF file under its name; then that of everything.
    var places = policy.signatureName.map { [$0] } ?? []
    if case .gguf(let parts) = selection, let first = parts.first, let name = policy.signatureName {
      places.insert(contentsOf: ["\(first.path).sig", ModelPull.folder(of: first.path) + name], at: 0)
    }
    guard let signature = places.lazy.compactMap({ listing.file($0) }).first else {
      return SignatureJudgement(folder: "", check: try policy.judge(nil))
    }
    guard signature.bytes <= policy.signatureBytesMax else {
      throw FileTooLarge(path: "\(reference.repository)/\(signature.path)", bytesMax: policy.signatureBytesMax)
    }
    let folder = ModelPull.folder(of: signature.path)
    let key = listing.file(folder + policy.publicKeyName).flatMap { $0.bytes <= policy.publicKeyBytesMax ? $0 : nil }
    let files = [signature] + (key.map { [$0] } ?? [])
    try await acquisition.obtain(files)
    func content(_ file: RemoteFile, _ bytesMax: Int) throws -> [UInt8] {
      try FileSystem.contents(of: acquisition.folder.path(of: file.path), bytesMax: bytesMax)
    }
    let pulled = PulledSignature(
      path: signature.path, bytes: try content(signature, policy.signatureBytesMax),
      publicKey: try key.map { try content($0, policy.publicKeyBytesMax) })
    // No part of the model; and kept with a part of the repository it would refuse that part.
    for file in files { try FileSystem.remove(acquisition.folder.path(of: file.path)) }
    return SignatureJudgement(folder: folder, check: try policy.judge(pulled))
  }

  /// The folder of a path in a repository, with a slash at its end.
  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }
}
