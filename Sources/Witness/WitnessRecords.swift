import Synchronization
public import Transparency
public import TransparencyLog

/// The last checkpoint of each log that a witness cosigned.
public final class WitnessRecords<Storage: LogStorage>: Sendable {
  public let verifierKey: NoteVerifierKey
  /// In the order of their origins.
  public let logs: [WitnessedLog]
  let storage: Storage
  private let holders: [ByteText: Holder]

  private final class Holder: Sendable {
    let log: WitnessedLog
    let state: Mutex<State>
    init(_ log: WitnessedLog, _ record: WitnessRecord?) {
      self.log = log
      state = Mutex(.known(record))
    }
  }

  private enum State {
    /// Nil if nothing was ever cosigned.
    case known(WitnessRecord?)
    /// A write has failed: whether this one, which is durable, or the next is on the disk is not known.
    case unknown(durable: WitnessRecord?)
  }

  /// Reads the records of `logs`; those of other logs stay as they are.
  ///
  /// - Throws: also if a record is not one that `verifierKey` has cosigned: it is never begun anew by guessing.
  public init(verifierKey: NoteVerifierKey, logs: [WitnessedLog], storage: Storage) throws(WitnessFailure) {
    self.verifierKey = verifierKey
    self.storage = storage
    self.logs = logs.sorted { $0.origin.bytes.lexicographicallyPrecedes($1.origin.bytes) }
    var holders: [ByteText: Holder] = [:]
    for log in logs {
      holders[log.origin] = Holder(
        log, try WitnessRecord.read(of: log.origin, cosignedBy: verifierKey, from: storage))
    }
    self.holders = holders
  }

  /// What has been cosigned last of the log whose origin has this SHA-256, in hex, lower case: its checkpoint with
  /// the signatures of the log and of the witness. Nil if it is no log of this witness, or nothing was cosigned.
  public func checkpoint(originHash: String) throws(WitnessFailure) -> SignedCheckpoint? {
    guard let log = logs.first(where: { $0.originHash == originHash }) else { return nil }
    return try checkpoint(of: log.origin)
  }

  /// The same by origin.
  public func checkpoint(of origin: ByteText) throws(WitnessFailure) -> SignedCheckpoint? {
    guard let holder = holders[origin] else { return nil }
    return try holder.state.withLock { (state) throws(WitnessFailure) in try known(&state, holder.log)?.signed }
  }

  func log(_ origin: ByteText) -> WitnessedLog? { holders[origin]?.log }

  /// Replaces a record by the one that `next` makes of it; nobody else does either in between.
  ///
  /// - Returns: the new record, durable.
  func update(
    _ log: WitnessedLog, _ next: (WitnessRecord?) throws(AddCheckpointError) -> WitnessRecord
  ) throws(AddCheckpointError) -> WitnessRecord {
    guard let holder = holders[log.origin] else { throw .refused(.unknownLog(log.origin)) }
    return try holder.state.withLock { (state) throws(AddCheckpointError) in
      let last: WitnessRecord?
      do throws(WitnessFailure) { last = try known(&state, log) } catch { throw .failed(error) }
      let record = try next(last)
      guard record != last else { return record }
      state = .unknown(durable: last)
      do throws(WitnessFailure) { try record.write(to: storage) } catch { throw .failed(error) }
      state = .known(record)
      return record
    }
  }

  /// The record, read again if a write has failed since it was. A new one that is found then may be lost with the
  /// power: it is written again before anybody hears of it.
  private func known(_ state: inout State, _ log: WitnessedLog) throws(WitnessFailure) -> WitnessRecord? {
    let durable: WitnessRecord?
    switch state {
    case .known(let record): return record
    case .unknown(let record): durable = record
    }
    let record = try WitnessRecord.read(of: log.origin, cosignedBy: verifierKey, from: storage)
    if record != durable { try record?.write(to: storage) }
    state = .known(record)
    return record
  }

  /// Writes all records again.
  func makeDurable() throws(WitnessFailure) {
    for holder in holders.values {
      try holder.state.withLock { (state) throws(WitnessFailure) in
        state = .unknown(durable: nil)
        _ = try known(&state, holder.log)
      }
    }
  }
}
