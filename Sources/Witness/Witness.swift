public import Transparency
public import TransparencyLog

/// Cosigns the checkpoints of logs as long as each is the beginning of the next.
///
/// For each log it keeps one record, the last checkpoint that it cosigned. A record is durable before its cosignature
/// leaves this type, and between reading the old record and writing the new one nobody else may do either: so there
/// are never two cosigned checkpoints of a log of which one is not the beginning of the other, whenever the process
/// dies.
///
/// Trust: whoever can change the records, or run a second witness with the key and older ones, can make it cosign
/// another history; they belong to the key and are never to be restored from a copy.
///
/// Source: C2SP tlog-witness; docs/spec/transparency.md, section 8.
public final class Witness<Storage: LogStorage>: Sendable {
  public let records: WitnessRecords<Storage>
  private let signer: CosignatureSigner
  private let clock: @Sendable () -> UInt64

  /// - Parameter clock: seconds since 1970, not 0.
  /// - Throws: also if a record is not one that `signer` has cosigned.
  public init(
    signer: CosignatureSigner, logs: [WitnessedLog], storage: Storage, clock: @escaping @Sendable () -> UInt64
  ) throws(WitnessFailure) {
    self.signer = signer
    self.clock = clock
    records = try WitnessRecords(verifierKey: signer.verifierKey, logs: logs, storage: storage)
    // Whoever was killed may have left records that are not durable yet.
    try records.makeDurable()
  }

  /// Cosigns a checkpoint if it continues the last one. Blocks until that is durable.
  ///
  /// - Returns: the signature line.
  public func addCheckpoint(_ request: AddCheckpointRequest) throws(AddCheckpointError) -> NoteSignature {
    let signed = request.signed
    let checkpoint = signed.checkpoint
    guard let log = records.log(checkpoint.origin) else { throw .refused(.unknownLog(checkpoint.origin)) }
    do throws(CheckpointRejection) { _ = try signed.verified(by: log.keys) } catch {
      throw .refused(.notSigned(error))
    }
    guard request.oldSize <= checkpoint.size else {
      throw .refused(.oldBeyondSize(old: request.oldSize, size: checkpoint.size))
    }
    let record = try records.update(log) { (last) throws(AddCheckpointError) in
      keepIfFork(last, signed, log)
      try check(request, last)
      let now = clock()
      // Who repeats what was answered within this second gets the same answer, and nothing is written.
      if let last, last.checkpoint == checkpoint, last.timestamp == now { return last }
      let cosignature = signer.cosign(checkpoint, timestamp: now)
      do throws(WitnessFailure) { return try WitnessRecord(signed, log: log, cosignature: cosignature) } catch {
        throw .failed(error)
      }
    }
    return record.cosignature
  }

  private func check(_ request: AddCheckpointRequest, _ last: WitnessRecord?) throws(AddCheckpointError) {
    let checkpoint = request.signed.checkpoint
    let size = last?.checkpoint.size ?? 0
    guard request.oldSize == size else { throw .refused(.conflict(size: size)) }
    guard !checkpoint.isImpossible else { throw .refused(.impossible) }
    do throws(ProofRejection) {
      if size == 0 {
        // Every tree grows out of the empty one: there is nothing to prove.
        guard request.hashes.isEmpty else { throw ProofRejection.hashCount(found: request.hashes.count, wanted: 0) }
      } else {
        try request.proof.verify(oldRoot: last?.checkpoint.root ?? .emptyRoot, newRoot: checkpoint.root)
      }
    } catch { throw .refused(.inconsistent(error)) }
  }

  /// Two signed checkpoints of one size with different roots prove that the log has forked: the first such pair is
  /// kept beside the record, together. Whether that succeeds changes nothing about the answer.
  private func keepIfFork(_ last: WitnessRecord?, _ signed: SignedCheckpoint, _ log: WitnessedLog) {
    guard let last, last.checkpoint.size == signed.checkpoint.size, last.checkpoint.root != signed.checkpoint.root
    else { return }
    let (cosigned, refused) = (log.originHash + "/fork-cosigned", log.originHash + "/fork-refused")
    // The one that is written last says that both are there.
    guard (try? records.storage.read(refused)) == nil else { return }
    try? records.storage.write([
      StoredFile(path: cosigned, bytes: last.signed.bytes), StoredFile(path: refused, bytes: signed.bytes),
    ])
  }
}

/// Why there is no cosignature.
public enum AddCheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  case refused(WitnessRefusal)
  case failed(WitnessFailure)

  public var description: String {
    switch self {
    case .refused(let refusal): refusal.description
    case .failed(let failure): failure.description
    }
  }
}
