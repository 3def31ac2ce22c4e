import Digests
import ModelGraph

/// One thing that a check of the store looked at.
public struct StoreFinding: Sendable, Equatable {
  /// Relative to the store: `blobs/sha256-…`, `tags/name`.
  public let subject: String
  /// Nil when it is as it should be.
  public let problem: String?
}

extension ModelStore {
  /// Hashes every file of the store again and loads every model.
  ///
  /// - Parameter progress: called with each file before it is read.
  /// - Returns: one finding per manifest, blob and tag, and one per file that should not be there.
  /// - Throws: ``FileFailure`` when the folders cannot be listed.
  public func verify(progress: ((String) -> Void)? = nil) throws -> [StoreFinding] {
    var findings: [StoreFinding] = []
    func check(_ subject: String, _ body: () throws -> String?) {
      progress?(subject)
      do { findings.append(StoreFinding(subject: subject, problem: try body())) } catch {
        findings.append(StoreFinding(subject: subject, problem: "\(error)"))
      }
    }
    let lock = readLock()
    defer { withExtendedLifetime(lock) {} }
    var used: Set<String> = []
    for name in try FileSystem.names(in: manifests) where !isTemporary(name) {
      check("manifests/\(name)") {
        guard let digest = Digest<ModelManifest>(hex: String(name.dropFirst(7).dropLast(5))),
          name == "sha256-\(digest.hex).json"
        else { return "this is not a manifest's name; remove it" }
        let manifest = try manifest(digest)
        for blob in manifest.blobs.all { used.insert("sha256-\(blob.digest.hex)") }
        // Digests are checked below, once per blob.
        _ = try open(.stored(digest), checkingDigests: false)
        return nil
      }
    }
    for name in try FileSystem.names(in: blobs) where !isTemporary(name) {
      check("blobs/\(name)") {
        let file = try MappedFile(path: "\(blobs)/\(name)")
        var digest = StreamingDigest<ModelManifest.Blob>()
        withExtendedLifetime(file) { digest.update(file.buffer) }
        let found = "sha256-\(digest.finalized().hex)"
        guard found == name else { return "its content hashes to \(found); import the model again" }
        return used.contains(name) ? nil : "no model uses it; the next `evident rm` removes it"
      }
    }
    for name in try FileSystem.names(in: tags) where !isTemporary(name) {
      check("tags/\(name)") {
        _ = try ModelName(name)
        guard let digest = ModelStore.tagDigest(try FileSystem.contents(of: "\(tags)/\(name)", bytesMax: 128)) else {
          return "it does not hold a digest; import the model again"
        }
        guard try FileSystem.kind(of: path(of: digest)) == .file else {
          return "it stands for \(digest), which is not in the store; import the model again"
        }
        return nil
      }
    }
    return findings
  }

  private func isTemporary(_ name: String) -> Bool { name.utf8.starts(with: TemporaryFile.prefix.utf8) }
}
