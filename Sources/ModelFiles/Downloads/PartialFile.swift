import Digests
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that arrives in pieces, in any order, over as many processes as it takes.
///
/// The bytes lie in `<path>.part`; beside it `<path>.part.json` says which of them are there and of what.
/// The journal is written after the bytes it speaks of, so a killed process loses at most what came since.
/// The caller holds the lock of the ``DownloadFolder``.
public final class PartialFile: Sendable {
  /// What is kept of which content; anything else starts again.
  public struct Subject: Equatable, Sendable {
    public var bytes: Int
    /// Names the content: `sha256:…`.
    public var identity: String

    public init(bytes: Int, identity: String) {
      self.bytes = bytes
      self.identity = identity
    }
  }

  private struct State {
    var have = ByteRanges()
    /// What the server calls this version of the file (its ETag).
    var validator: String?
    var written = ContinuousClock.now
    /// It has its name, or is gone: there is nothing to note any more.
    var isOver = false
  }

  public let path: String
  public let subject: Subject
  private let descriptor: Int32
  private let state: Mutex<State>

  private static let journalBytesMax = 1 << 20
  private static let journalInterval = Duration.milliseconds(200)

  /// Takes up what an earlier process left of the same content, or starts anew.
  ///
  /// - Throws: ``FileFailure``.
  public init(path: String, subject: Subject) throws(FileFailure) {
    self.path = path
    self.subject = subject
    try FileSystem.createDirectories(FileSystem.directory(of: path))
    let opened = open(path + ".part", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard opened >= 0 else { throw .last("create", path + ".part") }
    descriptor = opened
    var state = State()
    // Bytes beyond the end of the file cannot be there, whatever the journal says.
    var info = stat()
    let size = fstat(opened, &info) == 0 ? Int(info.st_size) : 0
    if let (have, validator) = PartialFile.journal(path + ".part.json", of: subject, size: size) {
      state.have = have
      state.validator = validator
    }
    self.state = Mutex(state)
    if state.have.count == 0, ftruncate(opened, 0) != 0 { throw .last("empty", path + ".part") }
  }

  deinit { close(descriptor) }

  /// The bytes that are there.
  public var bytesPresent: Int { state.withLock { $0.have.count } }
  public var missing: [Range<Int>] { state.withLock { $0.have.missing(below: subject.bytes) } }
  public var validator: String? { state.withLock { $0.validator } }

  /// Where the bytes are until ``finish()``.
  public var partialPath: String { path + ".part" }

  /// Puts bytes in their place.
  ///
  /// - Returns: how many of them were not there before.
  /// - Throws: ``FileFailure``, ENOSPC when the disk is full.
  @discardableResult
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileFailure) -> Int {
    precondition(offset >= 0 && offset + bytes.count <= subject.bytes)
    var left = bytes[...]
    while !left.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: left)
      let n = pwrite(descriptor, part.baseAddress, part.count, off_t(offset + left.startIndex - bytes.startIndex))
      if n > 0 {
        left = left.dropFirst(n)
      } else if n == 0 {
        throw FileFailure("write", path + ".part", code: ENOSPC)
      } else if errno != EINTR {
        throw .last("write", path + ".part")
      }
    }
    var failure: FileFailure?
    let added = state.withLock { state in
      let before = state.have.count
      state.have.insert(offset..<offset + bytes.count)
      if ContinuousClock.now - state.written > PartialFile.journalInterval {
        state.written = ContinuousClock.now
        do throws(FileFailure) { try writeJournal(state) } catch { failure = error }
      }
      return state.have.count - before
    }
    if let failure { throw failure }
    return added
  }

  /// Notes what is there now, and what the server calls it.
  public func recordProgress(validator: String? = nil) throws(FileFailure) {
    var failure: FileFailure?
    state.withLock { state in
      if let validator { state.validator = validator }
      do throws(FileFailure) { try writeJournal(state) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Forgets everything: what is there is of another version.
  public func restart() throws(FileFailure) {
    var failure: FileFailure?
    state.withLock { state in
      state.have = ByteRanges()
      state.validator = nil
      // The journal goes first: it must never speak of bytes that are gone.
      do throws(FileFailure) { try FileSystem.remove(path + ".part.json") } catch { failure = error }
      if failure == nil, ftruncate(descriptor, 0) != 0 { failure = .last("empty", path + ".part") }
    }
    if let failure { throw failure }
  }

  /// Removes what is there: it must not be taken up again.
  public func discard() throws(FileFailure) {
    state.withLock { $0.isOver = true }
    try FileSystem.remove(path + ".part.json")
    try FileSystem.remove(path + ".part")
  }

  /// Gives the complete file, whose content the caller has checked, its name.
  public func finish() throws(FileFailure) {
    precondition(missing.isEmpty)
    state.withLock { $0.isOver = true }
    guard ftruncate(descriptor, off_t(subject.bytes)) == 0, fsync(descriptor) == 0 else {
      throw .last("synchronise", path + ".part")
    }
    guard rename(path + ".part", path) == 0 else { throw .last("rename a file to", path) }
    try FileSystem.remove(path + ".part.json")
    try FileSystem.synchronizeDirectory(FileSystem.directory(of: path))
  }

  // MARK: Journal

  private func writeJournal(_ state: State) throws(FileFailure) {
    if state.isOver { return }
    let ranges = state.have.ranges.map { JSON.array([.integer($0.lowerBound), .integer($0.upperBound)]) }
    let json: JSON = [
      "bytes": .integer(subject.bytes), "identity": .string(subject.identity), "have": .array(ranges),
      "validator": state.validator.map { .string($0) } ?? .null,
    ]
    let target = path + ".part.json"
    let file = try TemporaryFile(in: FileSystem.directory(of: path))
    try file.write(Array(json.text().utf8))
    try file.rename(to: FileSystem.name(of: target))
  }

  /// Nil where there is no journal, or one that does not speak of this content.
  private static func journal(
    _ path: String, of subject: Subject, size: Int
  ) -> (have: ByteRanges, validator: String?)? {
    guard let bytes = try? FileSystem.contents(of: path, bytesMax: journalBytesMax),
      let json = try? JSON.parse(bytes, depthMax: 4), json["bytes"]?.integer == subject.bytes,
      json["identity"]?.string == subject.identity, let list = json["have"]?.array
    else { return nil }
    var have = ByteRanges()
    for item in list {
      guard let pair = item.array, pair.count == 2, let lower = pair[0].integer, let upper = pair[1].integer,
        lower >= 0, lower < upper, upper <= min(subject.bytes, size)
      else { return nil }
      have.insert(lower..<upper)
    }
    return (have, json["validator"]?.string)
  }
}
