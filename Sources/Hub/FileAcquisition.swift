import Foundation
import ModelFiles

/// Brings files into a download folder: from what is there, from the Hugging Face cache, from the hub.
struct FileAcquisition {
  let reference: HubReference
  let listing: RepositoryListing
  let folder: DownloadFolder
  let cache: HuggingFaceCache
  let client: HubClient?
  let options: ModelPull.Options
  let report: @Sendable (PullEvent) -> Void
  private(set) var bytesDownloaded = 0
  private(set) var bytesCached = 0

  init(
    reference: HubReference, listing: RepositoryListing, folder: DownloadFolder, cache: HuggingFaceCache,
    client: HubClient?, options: ModelPull.Options, report: @escaping @Sendable (PullEvent) -> Void
  ) {
    self.reference = reference
    self.listing = listing
    self.folder = folder
    self.cache = cache
    self.client = client
    self.options = options
    self.report = report
  }

  /// - Throws: ``HubFailure``, ``HubRejection``, `FileFailure`, `CancellationError`.
  mutating func obtain(_ files: [RemoteFile]) async throws {
    var wanted: [RemoteFile] = []
    for file in files where try await !isPresent(file) {
      if try await linkFromCache(file) { bytesCached += file.bytes } else { wanted.append(file) }
    }
    guard let first = wanted.first else { return }
    guard let client else { throw HubFailure.notCached("\(reference.repository)/\(first.path)", folder: cache.folder) }

    var jobs: [Downloader.Job] = []
    for file in wanted {
      let partial = try PartialFile(
        path: folder.path(of: file.path),
        subject: .init(bytes: file.bytes, identity: file.identity?.description ?? listing.commit))
      if partial.missing.isEmpty {
        // All is there, but nobody came to check it.
        if try await isRight(file, at: partial.partialPath) {
          try partial.finish()
          continue
        }
        try partial.restart()
        if file.bytes == 0 { throw HubRejection.wrongSize(file: file.path, found: 0, stated: 0) }
      }
      jobs.append(Downloader.Job(file: file, partial: partial))
    }
    if jobs.isEmpty { return }
    let (bytes, present) = jobs.reduce((0, 0)) { ($0.0 + $1.file.bytes, $0.1 + $1.partial.bytesPresent) }
    if let free = folder.bytesFree, bytes - present > free {
      throw HubFailure.diskFull(folder: folder.path, bytesNeeded: bytes - present, bytesFree: free)
    }
    report(.found(files: jobs.count, bytes: bytes, bytesPresent: present))
    let downloader = Downloader(
      client: client, reference: reference, commit: listing.commit, jobs: jobs, connections: options.connections,
      retries: options.retries, report: report)
    do { try await downloader.run() } catch {
      // What has arrived is noted, so that the next pull goes on from here.
      for job in jobs { try? job.partial.recordProgress() }
      throw error
    }
    bytesDownloaded += bytes - present
  }

  /// Whether an earlier pull left the file, whole and right.
  private func isPresent(_ file: RemoteFile) async throws -> Bool {
    let path = folder.path(of: file.path)
    guard FileManager.default.fileExists(atPath: path) else {
      // A link to a cache that was emptied since.
      try? FileManager.default.removeItem(atPath: path)
      return false
    }
    if try await isRight(file, at: path) { return true }
    try FileManager.default.removeItem(atPath: path)
    return false
  }

  /// The cache's copy is read in place, through a link.
  private func linkFromCache(_ file: RemoteFile) async throws -> Bool {
    guard let source = cache.path(of: file, commit: listing.commit) else { return false }
    guard try await isRight(file, at: source) else {
      report(.damagedCache(path: source))
      return false
    }
    let path = folder.path(of: file.path)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: URL(fileURLWithPath: source).resolvingSymlinksInPath().path)
    return true
  }

  private func isRight(_ file: RemoteFile, at path: String) async throws -> Bool {
    // Nothing can be said against a file of which nothing is known.
    guard let stated = file.identity else { return true }
    report(.checking(what: path, bytes: file.bytes))
    return try await BackgroundWork.run { try stated.found(at: path, isCancelled: $0) } == stated
  }
}
