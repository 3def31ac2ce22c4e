import Receipts
import Synchronization
import Testing
import Transparency
import TransparencyLog

@Suite struct LogServiceTests {
  private let statements = SignedStatements()
  private static let options = LogOptions(
    batchInterval: .milliseconds(20), retryDelays: .milliseconds(5)...(.milliseconds(20)),
    reminderDelays: .milliseconds(5)...(.milliseconds(20)))

  private func service(
    _ storage: MemoryStorage, policy: String? = nil, _ witnesses: [TestWitness] = [], options: LogOptions = options
  ) throws -> LogService<MemoryStorage> {
    try LogService(
      storage: storage, index: MemoryLeafIndex(), signer: Audit.signer,
      admission: Admission(.everyone, entriesPerSecond: nil),
      policy: policy.map { try TrustPolicy(parsing: Array($0.utf8)) }, witnesses: witnesses.map(\.link),
      options: options)
  }

  private func witnesses(_ count: UInt8) throws -> [TestWitness] {
    try (1...count).map { try TestWitness($0, log: Audit.signer.verifierKey) }
  }

  private func policy(_ witnesses: [TestWitness], _ threshold: Int) -> String {
    let names = witnesses.indices.map { "w\($0)" }
    return zip(names, witnesses).map { "witness \($0) \($1.signer.verifierKey)\n" }.joined()
      + "group g \(threshold) \(names.joined(separator: " "))\nquorum g\n"
  }

  /// Waits for something that another task does, and gives up after ten minutes: other tests may have all processors.
  private func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(600)
    while try await !condition() {
      try #require(ContinuousClock.now < deadline, what)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private func running<T>(
    _ log: LogService<some LogStorage>, _ body: () async throws -> T
  ) async throws -> T {
    let run = Task { try await log.run() }
    do {
      let result = try await body()
      log.close()
      try await run.value
      return result
    } catch {
      log.close()
      throw error
    }
  }

  @Test func manyAtOnceGetTheirPlacesInFewBatches() async throws {
    let storage = MemoryStorage()
    let log = try service(storage)
    let entries = try statements.entries(0..<400)
    let placed = try await running(log) {
      // Each twice, all at once.
      try await withThrowingTaskGroup(of: ([UInt8], SequencedEntry).self) { group in
        for entry in entries + entries { group.addTask { (entry, try await log.submit(entry)) } }
        return try await group.reduce(into: [([UInt8], SequencedEntry)]()) { $0.append($1) }
      }
    }
    let stored = try Audit.entries(of: storage)
    #expect(stored.count == 400)
    for (entry, place) in placed { #expect(stored[Int(place.index)] == entry) }
    #expect(placed.count(where: \.1.isDuplicate) == 400)
    #expect(log.metrics.batches < 100 && log.metrics.size == 400 && log.metrics.duplicates == 400)
  }

  @Test func anAnswerIsAPromiseAndAProofIsForAnyone() async throws {
    let log = try service(MemoryStorage())
    let policy = try TrustPolicy(parsing: Array("log \(log.key)\nquorum none\n".utf8))
    try await running(log) {
      for number in 0..<5 {
        let envelope = try statements.envelope(number)
        #expect(try await log.proof(of: envelope.leafHash) == .unknown)
        #expect(try await log.submit(envelope.bytes).index == UInt64(number))
        try await eventually("published") { try await log.publishedSize() > UInt64(number) }
        guard case .logged(let evidence) = try await log.proof(of: envelope.leafHash) else {
          Issue.record("no proof")
          return
        }
        try InclusionEvidence(parsing: evidence.bytes).verify(leaf: envelope.leafHash, policy: policy)
      }
    }
    await #expect(throws: EntryRefusal.self) { try await log.submit(statements.envelope(9).bytes) }
    #expect(log.metrics.refused == 1)
  }

  @Test func aQuorumPublishesWhoeverIsMissing() async throws {
    let witnesses = try witnesses(3)
    let storage = MemoryStorage()
    let text = policy(witnesses, 2)
    let trust = try TrustPolicy(parsing: Array("log \(Audit.signer.verifierKey)\n\(text)".utf8))
    let log = try service(storage, policy: text, witnesses)
    try await running(log) {
      _ = try await log.submit(statements.envelope(0).bytes)
      try await eventually("all three") {
        log.view.published?.checkpoint.size == 1 && log.view.published?.note.signatures.count == 4
      }
      witnesses[0].become(.away)
      _ = try await log.submit(statements.envelope(1).bytes)
      try await eventually("one away") { try await log.publishedSize() == 2 }
      #expect(try trust.evaluate(#require(log.view.published)).isAccepted)
      try await eventually("who is away is named") { log.view.witnesses[0].failure != nil }

      witnesses[1].become(.refusing)
      let pending = try statements.envelope(2)
      _ = try await log.submit(pending.bytes)
      try await eventually("two away") { log.view.reason?.contains("403") == true }
      guard case .pending(2, let reason) = try await log.proof(of: pending.leafHash) else {
        Issue.record("it is published without its quorum")
        return
      }
      #expect(reason.contains("1 of 2") && reason.contains("not you") && reason.contains("Away"), "\(reason)")
      #expect(try await log.publishedSize() == 2 && storage.read("checkpoint") == log.view.published?.bytes)
      // It goes on taking entries, and catches up when one comes back.
      _ = try await log.submit(statements.envelope(3).bytes)
      witnesses[1].become(.well)
      try await eventually("one is back") { try await log.publishedSize() == 4 }
      #expect(log.view.reason == nil)
      witnesses[0].become(.well)
      _ = try await log.submit(statements.envelope(4).bytes)
      try await eventually("both are back") { witnesses.allSatisfy { $0.size == 5 } }
      try await eventually("published") { try await log.publishedSize() == 5 }
    }
    #expect(try Audit.entries(of: storage, at: "checkpoint").count == 5)
  }

  @Test func aSlowWitnessHoldsUpNobody() async throws {
    let witnesses = try witnesses(3)
    let log = try service(MemoryStorage(), policy: policy(witnesses, 2), witnesses)
    witnesses[2].become(.slow)
    try await running(log) {
      for number in 0..<4 {
        _ = try await log.submit(statements.envelope(number).bytes)
        try await eventually("published") { try await log.publishedSize() == UInt64(number + 1) }
      }
    }
    #expect(log.view.published?.note.signatures.count == 3)
  }

  @Test func aWitnessIsBelievedByItsSignatureOnly() async throws {
    let witnesses = try witnesses(1)
    let log = try service(MemoryStorage(), policy: policy(witnesses, 1), witnesses)
    witnesses[0].become(.lying)
    try await running(log) {
      try await eventually("noticed") { log.view.reason?.contains("not by the key") == true }
      #expect(log.view.published == nil)
      witnesses[0].become(.well)
      try await eventually("published") { log.view.published != nil }
    }
  }

  /// A log that was opened again knows nothing of what its witnesses have seen; they say it.
  @Test func aLogFindsOutWhatItsWitnessesKnow() async throws {
    let witnesses = try witnesses(1)
    let storage = MemoryStorage()
    let first = try service(storage, policy: policy(witnesses, 1), witnesses)
    try await running(first) {
      _ = try await first.submit(statements.envelope(0).bytes)
      try await eventually("published") { try await first.publishedSize() == 1 }
    }
    let second = try service(storage, policy: policy(witnesses, 1), witnesses)
    #expect(try await second.publishedSize() == 1)
    try await running(second) {
      _ = try await second.submit(statements.envelope(1).bytes)
      try await eventually("published") { try await second.publishedSize() == 2 }
    }
    #expect(witnesses[0].requests.contains("old 0") && witnesses[0].requests.contains("old 1"))
  }

  /// The folder is an old copy: the witnesses have seen more, and what they have seen is not published again.
  @Test func anOldCopyIsNoticed() async throws {
    let witnesses = try witnesses(1)
    witnesses[0].set(size: 100, root: .emptyRoot)
    let log = try service(MemoryStorage(), policy: policy(witnesses, 1), witnesses)
    try await running(log) {
      _ = try await log.submit(statements.envelope(0).bytes)
      try await eventually("noticed") { log.view.reason?.contains("old copy") == true }
      #expect(log.view.published == nil)
    }
  }

  /// The disk is full for a while: who was not answered hears it, and the log comes back by itself.
  @Test func aFailedWriteIsSurvived() async throws {
    let folder = TemporaryFolder()
    let isFull = Mutex(false)
    let calls = SystemCalls(
      write: { isFull.withLock { $0 } ? -1 : SystemCalls.system.write($0, $1, $2) }, fsync: SystemCalls.system.fsync,
      rename: SystemCalls.system.rename)
    let storage = try POSIXStorage(root: folder.path, calls: calls)
    let log = try LogService(
      storage: storage, index: SQLiteLeafIndex(path: storage.indexPath), signer: Audit.signer,
      admission: Admission(.everyone, entriesPerSecond: nil), options: Self.options)
    try await running(log) {
      _ = try await log.submit(statements.envelope(0).bytes)
      isFull.withLock { $0 = true }
      await #expect(throws: EntryRefusal.self) { try await log.submit(statements.envelope(1).bytes) }
      await #expect(throws: EntryRefusal.self) { try await log.submit(statements.envelope(2).bytes) }
      isFull.withLock { $0 = false }
      try await eventually("it is back") { (try? await log.submit(statements.envelope(3).bytes)) != nil }
      // What was not answered may be in the log, and is there once.
      let again = try await log.submit(statements.envelope(1).bytes)
      #expect(try await log.submit(statements.envelope(1).bytes).index == again.index)
    }
    let stored = try Audit.entries(of: storage)
    #expect(Set(stored).count == stored.count && stored.count >= 3 && log.metrics.failures > 0)
  }

  /// The log does not grow any more, and a reader's policy may need the witness that was away.
  @Test func whoWasAwayCosignsWhatIsPublished() async throws {
    let witnesses = try witnesses(3)
    let storage = MemoryStorage()
    let log = try service(storage, policy: policy(witnesses, 2), witnesses)
    witnesses[2].become(.away)
    try await running(log) {
      _ = try await log.submit(statements.envelope(0).bytes)
      try await eventually("published") { try await log.publishedSize() == 1 }
      #expect(log.view.published?.note.signatures.count == 3 && log.view.witnesses[2].failure != nil)
      let asked = witnesses[2].requests.count
      try await eventually("asked again") { witnesses[2].requests.count > asked + 3 }
      let others = witnesses[0].requests.count
      witnesses[2].become(.well)
      try await eventually("all three") { log.view.published?.note.signatures.count == 4 }
      try await eventually("up") { log.view.witnesses[2].failure == nil && log.view.witnesses[2].size == 1 }
      // Who has cosigned it is left alone.
      #expect(witnesses[0].requests.count == others)
    }
    #expect(try storage.read("checkpoint") == log.view.published?.bytes)
  }

  /// Each start asks again; the first cosignature of each stays, and no more come.
  @Test func startsDoNotFillTheNote() async throws {
    let witnesses = try witnesses(2)
    let storage = MemoryStorage()
    var first: [UInt8]?
    for start in 0..<4 {
      let log = try service(storage, policy: policy(witnesses, 2), witnesses)
      let asked = witnesses.map(\.requests.count)
      try await running(log) {
        if start == 0 { _ = try await log.submit(statements.envelope(0).bytes) }
        try await eventually("published") { try await log.publishedSize() == 1 }
        try await eventually("asked") { zip(witnesses, asked).allSatisfy { $0.requests.count > $1 } }
      }
      let stored = try storage.read("checkpoint")
      #expect(first == nil || stored == first, "start \(start)")
      first = stored
    }
  }

  /// Whoever stops a log does not leave what it has answered for unpublished until the next start.
  @Test func whatIsSequencedAtTheEndIsPublished() async throws {
    let witnesses = try witnesses(2)
    let storage = MemoryStorage()
    let log = try service(storage, policy: policy(witnesses, 2), witnesses)
    witnesses[1].become(.held)
    let run = Task { try await log.run() }
    _ = try await log.submit(statements.envelope(0).bytes)
    log.close()
    witnesses[1].release()
    try await run.value
    #expect(try Audit.entries(of: storage, at: "checkpoint").count == 1)
  }

  /// And does not wait for ever.
  @Test(arguments: [TestWitness.Mood.away, .slow])
  func aQuorumThatDoesNotComeHoldsUpNoEnd(_ mood: TestWitness.Mood) async throws {
    let witnesses = try witnesses(2)
    var options = Self.options
    options.closingMax = mood == .slow ? .milliseconds(20) : .seconds(3600)
    options.retryDelays = .seconds(3600)...(.seconds(3600))
    let log = try service(MemoryStorage(), policy: policy(witnesses, 2), witnesses, options: options)
    witnesses[1].become(mood)
    try await running(log) {
      _ = try await log.submit(statements.envelope(0).bytes)
      try await eventually("asked") { !witnesses[1].requests.isEmpty || mood == .slow }
    }
    #expect(log.view.published == nil && log.metrics.size == 1)
  }

  /// The entries of a log are there for everyone to read, and to send again.
  @Test func whoSendsAgainUsesUpNobodysRate() async throws {
    let log = try LogService(
      storage: MemoryStorage(), index: MemoryLeafIndex(), signer: Audit.signer,
      admission: Admission(.everyone, entriesPerSecond: 1), options: Self.options)
    try await running(log) {
      let envelope = try statements.envelope(0)
      _ = try await log.submit(envelope.bytes)
      for _ in 0..<50 {
        let again = try await log.submit(envelope.bytes)
        #expect(again == SequencedEntry(index: 0, isDuplicate: true))
      }
      await #expect(throws: EntryRefusal.self) {
        for number in 1..<50 { _ = try await log.submit(statements.envelope(number).bytes) }
      }
    }
  }

  /// The task ends before the entry's batch.
  @Test(.timeLimit(.minutes(5))) func whoStillWaitsAtTheEndHearsSo() async throws {
    let log = try service(MemoryStorage())
    let bytes = try statements.envelope(0).bytes
    let waiting = Task { try await log.submit(bytes) }
    try await eventually("waits") { log.metrics.waiting == 1 }
    let run = Task { try await log.run() }
    run.cancel()
    try? await run.value
    _ = await waiting.result
    await #expect(throws: EntryRefusal.self) { try await log.submit(bytes) }
  }

  /// With an interval that nobody lives to see.
  @Test(.timeLimit(.minutes(5))) func aLargeBatchDoesNotWait() async throws {
    let options = LogOptions(batchInterval: .seconds(1_000_000), batchEntriesPrompt: 8)
    let log = try service(MemoryStorage(), options: options)
    let entries = try statements.entries(0..<9)
    try await running(log) {
      _ = try await log.submit(entries[0])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for entry in entries[1..<8] { group.addTask { _ = try await log.submit(entry) } }
        try await eventually("seven wait") { log.metrics.waiting == 7 }
        _ = try await log.submit(entries[8])
        try await group.waitForAll()
      }
      #expect(log.metrics.size == 9 && log.metrics.batches == 2)
    }
  }

  @Test func whatWaitsHasALimit() async throws {
    let options = LogOptions(batchInterval: .milliseconds(1), waitingMax: 8)
    let log = try service(MemoryStorage(), options: options)
    // Nobody works yet.
    let entries = try statements.entries(0..<40)
    let (taken, refused) = (Tally(), Tally())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for entry in entries {
        group.addTask {
          do {
            _ = try await log.submit(entry)
            taken.count()
          } catch { refused.count() }
        }
      }
      try await eventually("the others are refused") { refused.total == 32 }
      try await running(log) { try await group.waitForAll() }
    }
    #expect(taken.total == 8)
  }
}

/// Counts from many tasks.
private final class Tally: Sendable {
  private let counted = Mutex(0)
  func count() { counted.withLock { $0 += 1 } }
  var total: Int { counted.withLock { $0 } }
}
