import AsyncHTTPClient
import ModelFiles
import NIOCore
import NIOHTTP1
import Synchronization

/// Fetches files over several connections, each file in parts, and checks each when it is complete.
///
/// Memory: what is in flight on each connection.
package final class Downloader: Sendable {
  struct Job: Sendable {
    let file: RemoteFile
    let partial: PartialFile
    /// Whether an earlier process left a part of it. If the whole turns out wrong, that may be why.
    let isResumed: Bool

    init(file: RemoteFile, partial: PartialFile) {
      self.file = file
      self.partial = partial
      isResumed = partial.bytesPresent > 0
    }
  }

  private let client: HubClient
  private let reference: HubReference
  private let commit: String
  private let retries: Int
  private let connections: Int
  private let jobs: [Job]
  private let report: @Sendable (PullEvent) -> Void
  private let queue: PartQueue
  private let bytesTotal: Int
  private let bytesDone: Mutex<Int>
  /// Per file: whether it was begun again because its digest was wrong.
  private let restarted: Mutex<Set<Int>>

  static let mebibyte = 1 << 20

  init(
    client: HubClient, reference: HubReference, commit: String, jobs: [Job], connections: Int, retries: Int,
    report: @escaping @Sendable (PullEvent) -> Void
  ) {
    self.client = client
    self.reference = reference
    self.commit = commit
    self.jobs = jobs
    self.connections = connections
    self.retries = retries
    self.report = report
    bytesTotal = jobs.reduce(0) { $0 + $1.file.bytes }
    bytesDone = Mutex(jobs.reduce(0) { $0 + $1.partial.bytesPresent })
    restarted = Mutex([])
    queue = PartQueue(
      missing: jobs.map(\.partial.missing),
      partBytes: Downloader.partBytes(bytesTotal: bytesTotal, connections: connections))
  }

  /// Large enough that a request's way there and back does not count, small enough that all connections
  /// have work until near the end.
  package static func partBytes(bytesTotal: Int, connections: Int) -> Int {
    min(max(bytesTotal / (4 * connections) / mebibyte, 8), 64) * mebibyte
  }

  /// - Throws: ``HubFailure``, ``HubRejection``, `FileFailure`, `CancellationError`; what has arrived is kept.
  func run() async throws {
    try await withTaskCancellationHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<connections {
          group.addTask {
            do {
              while let part = await self.queue.next() { try await self.fetch(part) }
            } catch {
              await self.queue.close()
              throw error
            }
          }
        }
        try await group.waitForAll()
      }
    } onCancel: {
      Task { await queue.close() }
    }
    try Task.checkCancellation()
  }

  private func progress(_ bytes: Int) {
    let done = bytesDone.withLock { done in
      done += bytes
      return done
    }
    report(.progress(bytesDone: done, bytesTotal: bytesTotal))
  }

  // MARK: Parts

  /// How an attempt to get a part ended without an error.
  private enum Ending { case complete, cut, restarted }

  private func fetch(_ part: PartQueue.Part) async throws {
    let job = jobs[part.file]
    var backoff = Backoff(retriesMax: retries)
    var span = Span(part.range)
    while true {
      try Task.checkCancellation()
      let before = job.partial.bytesPresent
      let failure: HubFailure
      var retryAfter: Int?
      do {
        switch try await attempt(part, &span) {
        case .complete:
          if await queue.isLast(part), !(try await complete(job, part)) { return }
          return await queue.finished(part)
        case .restarted: return
        case .cut: failure = .connectionFailed(host: host, reason: "it ended too early")
        }
      } catch let transport as TransportFailure {
        failure = transport.failure
        if transport.isFinal { throw failure }
      } catch let retry as Retry {
        (failure, retryAfter) = (retry.failure, retry.after)
      }
      // A server that sends no ranges begins again every time: that is no progress.
      if job.partial.bytesPresent > before, !span.mustStartOver { backoff.succeed() }
      try job.partial.recordProgress()
      guard let seconds = backoff.next(retryAfter: retryAfter) else { throw failure }
      report(.retrying(reason: "\(failure)", seconds: seconds))
      try await Task.sleep(for: .seconds(seconds))
    }
  }

  private var host: String { client.settings.endpoint.address }

  private struct Retry: Error {
    let after: Int?
    let failure: HubFailure
  }

  /// What is left of a part.
  private struct Span {
    var cursor: Int
    var end: Int
    /// The server sends the file whole or not at all.
    var mustStartOver = false

    init(_ range: Range<Int>) { (cursor, end) = (range.lowerBound, range.upperBound) }
    var range: Range<Int> { cursor..<end }
  }

  /// One request for what is left of a part.
  private func attempt(_ part: PartQueue.Part, _ span: inout Span) async throws -> Ending {
    let file = jobs[part.file].file
    if span.mustStartOver { span.cursor = 0 }
    let range = span.range == 0..<file.bytes ? nil : span.range
    let answer = try await client.get(
      "\(client.settings.endpoint)/\(reference.repository)/resolve/\(commit)/\(RemoteFile.escaped(file.path))",
      range: range)
    var end = span.end
    switch answer.status {
    case 206:
      guard let sent = ContentRange(answer.headers.first(name: "Content-Range")), sent.lower == span.cursor,
        sent.upper <= end
      else { throw HubRejection.malformedAnswer(url: answer.url, problem: "it is not the range that was asked for") }
      if let found = sent.total, found != file.bytes {
        throw HubRejection.wrongSize(file: file.path, found: found, stated: file.bytes)
      }
      // A server may send less than was asked for.
      end = sent.upper
    case 200:
      // Only the first connection takes everything from a server that was asked for a range.
      guard part.isProbe else {
        throw Retry(after: nil, failure: .connectionFailed(host: host, reason: "no range came"))
      }
      if let found = answer.headers.first(name: "Content-Length").flatMap({ Int($0) }), found != file.bytes {
        throw HubRejection.wrongSize(file: file.path, found: found, stated: file.bytes)
      }
      if range != nil { span.mustStartOver = true }
      (span.cursor, span.end, end) = (0, file.bytes, file.bytes)
    case 416: throw HubRejection.wrongSize(file: file.path, found: span.cursor, stated: file.bytes)
    default:
      await answer.drain()
      switch client.verdict(
        on: answer, repository: reference.repository, revision: reference.revision, file: file.path)
      {
      case .refused(let failure): throw failure
      case .retry(let after, let failure): throw Retry(after: after, failure: failure)
      }
    }
    if try await isOtherVersion(answer, part) { return .restarted }
    if answer.status == 206 { await queue.sendsRanges(part.file) } else { await queue.sendsWhole(part.file) }
    try await receive(answer, jobs[part.file], &span.cursor, end)
    return span.cursor >= span.end ? .complete : .cut
  }

  private func receive(_ answer: HubClient.Answer, _ job: Job, _ cursor: inout Int, _ end: Int) async throws {
    var body = answer.body.makeAsyncIterator()
    while true {
      let buffer: ByteBuffer?
      do { buffer = try await body.next() } catch {
        try Task.checkCancellation()
        throw TransportFailure(host: host, error, idleSecondsMax: client.settings.idleSecondsMax)
      }
      guard let buffer else { return }
      try Task.checkCancellation()
      guard buffer.readableBytes <= end - cursor else {
        throw HubRejection.wrongSize(file: job.file.path, found: cursor + buffer.readableBytes, stated: job.file.bytes)
      }
      let at = cursor
      progress(try buffer.withUnsafeReadableBytes { try job.partial.write($0, at: at) })
      cursor += buffer.readableBytes
    }
  }

  /// Whether the hub has another version of the file than the one of which a part is here; then nothing of
  /// it is here any more and the file is handed out again.
  private func isOtherVersion(_ answer: HubClient.Answer, _ part: PartQueue.Part) async throws -> Bool {
    let partial = jobs[part.file].partial
    guard let tag = answer.entityTag else { return false }
    guard let known = partial.validator, known != tag else {
      if partial.validator == nil { try partial.recordProgress(validator: tag) }
      return false
    }
    guard await queue.withdraw(part) else { throw HubRejection.changed(file: jobs[part.file].file.path) }
    progress(-partial.bytesPresent)
    try partial.restart()
    try partial.recordProgress(validator: tag)
    await queue.restart(part, missing: partial.missing)
    return true
  }

  // MARK: Files

  /// Checks a file whose bytes are all there and gives it its name.
  ///
  /// - Returns: false when it is wrong and begun anew.
  private func complete(_ job: Job, _ part: PartQueue.Part) async throws -> Bool {
    if let stated = job.file.identity {
      let path = job.partial.partialPath
      let found = try await BackgroundWork.run { try stated.found(at: path, isCancelled: $0) }
      if found != stated {
        // What an earlier process left may have been lost by a disk or a power cut: once more from the start.
        if job.isResumed, restarted.withLock({ $0.insert(part.file).inserted }) {
          progress(-job.partial.bytesPresent)
          try job.partial.restart()
          await queue.restart(part, missing: job.partial.missing)
          return false
        }
        try job.partial.discard()
        throw HubRejection.wrongDigest(file: job.file.path, found: "\(found)", stated: "\(stated)")
      }
    }
    try job.partial.finish()
    return true
  }
}

/// `bytes 0-99/1234` (RFC 9110, 14.4).
package struct ContentRange: Equatable {
  package let lower: Int
  /// One past the last byte.
  package let upper: Int
  /// Nil for `*`.
  package let total: Int?

  package init?(_ text: String?) {
    guard let text, let match = text.wholeMatch(of: /bytes ([0-9]{1,18})-([0-9]{1,18})\/([0-9]{1,18}|\*)/),
      let lower = Int(match.1), let last = Int(match.2), lower <= last
    else { return nil }
    self.lower = lower
    upper = last + 1
    total = Int(match.3)
    if let total, upper > total { return nil }
  }
}
