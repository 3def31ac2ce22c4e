import Testing
import Transparency
import TransparencyLog

/// Every single call that makes a log durable fails once, each in its turn.
@Suite struct FaultTests {
  private func batch(_ start: Int) -> [[UInt8]] { (start..<(start + 130)).map { Array("entry \($0)".utf8) } }

  @Test(arguments: FaultySystemCalls.Fault.allCases)
  func nothingAcknowledgedIsLost(_ fault: FaultySystemCalls.Fault) throws {
    var calls = 0
    while try failing(fault, after: calls) { calls += 1 }
    // Two batches that each write 5 files and more, and publish.
    #expect(calls > 12, "\(calls)")
  }

  /// - Returns: false if so many calls were not made at all.
  private func failing(_ fault: FaultySystemCalls.Fault, after count: Int) throws -> Bool {
    let folder = TemporaryFolder()
    let faulty = FaultySystemCalls(fault, after: count)
    var promised: [(index: UInt64, entry: [UInt8])] = []
    // All that was ever signed: by size, the root.
    var roots: [UInt64: MerkleHash] = [:]
    func note(_ checkpoint: Checkpoint) {
      #expect(roots.updateValue(checkpoint.root, forKey: checkpoint.size) ?? checkpoint.root == checkpoint.root)
    }
    func work(_ storage: POSIXStorage, from start: Int) throws {
      var sequencer = try Audit.open(storage)
      note(sequencer.latest.checkpoint)
      var published = try PublishedCheckpoint(
        storage: storage, log: Audit.signer.verifierKey, latest: sequencer.latest.checkpoint)
      for start in stride(from: start, to: start + 2 * 130, by: 130) {
        let entries = batch(start)
        promised += zip(try sequencer.append(entries), entries).map { ($0.index, $1) }
        note(sequencer.latest.checkpoint)
        try published.publish(sequencer.latest)
      }
    }
    do {
      try work(POSIXStorage(root: folder.path, calls: faulty.calls), from: 0)
      #expect(!faulty.hasFailed)
      return false
    } catch { #expect(faulty.hasFailed, "\(error)") }
    // Opened again it has all that was promised, and goes on.
    let storage = try POSIXStorage(root: folder.path)
    try work(storage, from: 10_000)
    for path in [".latest", "checkpoint"] {
      let stored = try Audit.entries(of: storage, at: path)
      for (index, entry) in promised { #expect(stored[Int(index)] == entry, "\(fault) after \(count)") }
      #expect(Set(stored).count == stored.count)
    }
    return true
  }
}
