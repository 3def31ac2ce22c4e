import Synchronization
import Testing
import Transparency
import TransparencyLog
import Witness

/// The disk fails at each write, before or after it has done it.
@Suite struct WitnessFailureTests {
  @Test(arguments: [false, true])
  func everyFailedWriteIsSurvived(_ isWritten: Bool) throws {
    var failed = 0
    for fatal in 0..<12 {
      let storage = FailingStorage(failing: fatal, isWritten: isWritten)
      var witness = try Sample.restlessWitness(storage)
      // What has left the witness.
      var cosigned: [Checkpoint] = []
      var failures = 0
      for step in 0..<40 {
        let tree = step % 3 == 2 ? Sample.fork : Sample.tree
        let old = try witness.records.checkpoint(of: "log.example/a")?.checkpoint.size ?? 0
        let request = try Sample.request(from: old, to: old + UInt64(step % 4), of: tree)
        do throws(AddCheckpointError) {
          let line = try witness.addCheckpoint(request)
          _ = try! request.signed.adding([line]).verified(by: [Sample.signer.verifierKey, witness.records.verifierKey])
          cosigned.append(request.signed.checkpoint)
        } catch {
          if case .failed(let failure) = error {
            failures += 1
            #expect("\(failure)".contains("No space left on device"))
            // Another process takes over, or this one goes on.
            if fatal % 2 == 0 { witness = try Sample.restlessWitness(storage) }
          }
        }
      }
      // One that fails while a fork is kept changes nothing.
      #expect(failures <= 1 && cosigned.count > 12)
      failed += failures
      for (before, after) in zip(cosigned, cosigned.dropFirst()) {
        #expect(before.size <= after.size)
        #expect(
          [Sample.tree, Sample.fork].contains {
            $0.root(at: before.size) == before.root && $0.root(at: after.size) == after.root
          }, "write \(fatal): \(before.size) and \(after.size) are of two histories")
      }
      let record = try #require(try witness.records.checkpoint(of: "log.example/a"))
      #expect(record.checkpoint == cosigned.last)
    }
    #expect(failed >= 10)
  }

  /// As long as the disk fails, nothing is given out, and nothing is forgotten.
  @Test func aDeadDiskCosignsNothing() throws {
    let storage = FailingStorage(failing: 1, isWritten: false, forEver: true)
    let witness = try Sample.witness(storage)
    #expect(try witness.refusal(Sample.request(from: 0, to: 5)) == nil)
    for _ in 0..<3 {
      #expect(throws: WitnessFailure.self) { try witness.refusal(Sample.request(from: 5, to: 9)) }
      #expect(try witness.records.checkpoint(of: "log.example/a")?.checkpoint.size == 5)
      #expect(try witness.refusal(Sample.request(from: 4, to: 9)) == .conflict(size: 5))
    }
  }

  /// A write that was reported as failed may have been done, and may be lost with the power: before anybody hears of
  /// it, it is done again. So after a death.
  @Test func whatMayNotBeDurableIsWrittenAgain() throws {
    let storage = FailingStorage(failing: 1, isWritten: true)
    let witness = try Sample.witness(storage)
    #expect(try witness.refusal(Sample.request(from: 0, to: 5)) == nil)
    #expect(throws: WitnessFailure.self) { try witness.refusal(Sample.request(from: 5, to: 9)) }
    #expect(storage.writes == 2)
    #expect(try witness.records.checkpoint(of: "log.example/a")?.checkpoint.size == 9 && storage.writes == 3)
    // The same within the second.
    #expect(try witness.refusal(Sample.request(from: 9, to: 9)) == nil && storage.writes == 3)
    _ = try Sample.witness(storage)
    #expect(storage.writes == 4)
  }

  /// Killed between the two files, it has one of them; the pair must prove the fork all the same.
  @Test func bothCheckpointsOfAForkAreOfOneSize() throws {
    let storage = MemoryStorage()
    let witness = try Sample.witness(storage)
    let folder = Sample.logs[0].originHash
    try storage.write([
      StoredFile(path: folder + "/fork-cosigned", bytes: Sample.checkpoint(12).bytes)
    ])
    #expect(try witness.refusal(Sample.request(from: 0, to: 20)) == nil)
    #expect(try witness.refusal(Sample.request(from: 20, to: 20, of: Sample.fork))?.status == 422)
    let pair = try ["cosigned", "refused"].map {
      try SignedCheckpoint(parsing: try #require(try storage.read("\(folder)/fork-\($0)"))).checkpoint
    }
    #expect(pair[0].size == 20 && pair[1].size == 20 && pair[0].root != pair[1].root)
    // The first pair stays.
    #expect(try witness.refusal(Sample.request(from: 20, to: 30)) == nil)
    #expect(try witness.refusal(Sample.request(from: 30, to: 30, of: Sample.fork))?.status == 422)
    #expect(try storage.read(folder + "/fork-refused") == Sample.checkpoint(20, of: Sample.fork).bytes)
  }
}

/// A storage whose n-th write reports a failure, whether it has written or not.
private final class FailingStorage: LogStorage {
  private let inner = MemoryStorage()
  private let left: Mutex<Int>
  private let isWritten: Bool
  private let forEver: Bool
  private let written = Mutex(0)
  /// Tried, whether they failed or not.
  var writes: Int { written.withLock { $0 } }

  init(failing count: Int, isWritten: Bool, forEver: Bool = false) {
    left = Mutex(count)
    self.isWritten = isWritten
    self.forEver = forEver
  }

  func read(_ path: String) throws(StorageFailure) -> [UInt8]? { try inner.read(path) }
  func removeFolder(_ path: String) throws(StorageFailure) { try inner.removeFolder(path) }

  func write(_ files: [StoredFile]) throws(StorageFailure) {
    written.withLock { $0 += 1 }
    let fails = left.withLock { count in
      defer { count -= 1 }
      return count == 0 || (forEver && count < 0)
    }
    if !fails || isWritten { try inner.write(files) }
    guard fails else { return }
    throw StorageFailure(action: "write", path: files.first?.path ?? "", reason: "No space left on device")
  }
}
