import Foundation

/// The cache of the huggingface_hub package: `models--org--name/{refs,snapshots,blobs}`. It is only read.
struct HuggingFaceCache: Sendable {
  /// The folder of all repositories.
  let folder: String
  let repository: String

  private var place: String { folder + "/models--" + repository.replacing("/", with: "--") }

  /// The commit that a revision was when it was last fetched, or the revision itself when it is a commit
  /// that is there; nil when the cache has neither.
  func commit(of revision: String) -> String? {
    if let data = FileManager.default.contents(atPath: "\(place)/refs/\(revision)"), data.count <= 256 {
      let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      if RepositoryListing.isCommit(text) { return text }
    }
    guard RepositoryListing.isCommit(revision), isDirectory("\(place)/snapshots/\(revision)") else { return nil }
    return revision
  }

  /// What the cache has of a commit. It may be less than the repository has.
  func listing(of commit: String) -> RepositoryListing {
    let snapshot = "\(place)/snapshots/\(commit)"
    var files: [RemoteFile] = []
    var folders = [""]
    while let prefix = folders.popLast(), files.count <= RepositoryListing.filesMax {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(snapshot)/\(prefix)")) ?? [] {
        let path = prefix + name
        guard RemoteFile.isSafePath(path) else { continue }
        // Links are followed: the files of a snapshot are links to blobs.
        if isDirectory("\(snapshot)/\(path)") {
          folders.append(path + "/")
        } else if let bytes = size(of: "\(snapshot)/\(path)") {
          files.append(RemoteFile(path: path, bytes: bytes, identity: blobIdentity(of: "\(snapshot)/\(path)")))
        }
      }
    }
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let card = FileManager.default.contents(atPath: snapshot + "/README.md").map { String(decoding: $0, as: UTF8.self) }
    return RepositoryListing(commit: commit, files: files, licence: card.flatMap(Licence.of(card:)))
  }

  /// Where the cache has a file's content; nil when it has not. The content is still to be checked.
  func path(of file: RemoteFile, commit: String) -> String? {
    var places = ["\(place)/snapshots/\(commit)/\(file.path)"]
    if let identity = file.identity { places.insert("\(place)/blobs/\(identity.hex)", at: 0) }
    return places.first { size(of: $0) == file.bytes }
  }

  /// A blob is named after its content.
  private func blobIdentity(of path: String) -> ContentIdentity? {
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return nil }
    return ContentIdentity(hex: (target as NSString).lastPathComponent)
  }

  private func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  /// The size of a regular file, links followed.
  private func size(of path: String) -> Int? {
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: real),
      attributes[.type] as? FileAttributeType == .typeRegular
    else { return nil }
    return (attributes[.size] as? NSNumber)?.intValue
  }
}
