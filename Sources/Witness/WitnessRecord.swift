import Transparency
import TransparencyLog

/// The last checkpoint of a log that a witness cosigned, as a file that can be served as it is: the log's signature
/// and the witness's, and no others, so that nobody else decides how long it is.
struct WitnessRecord: Equatable {
  let signed: SignedCheckpoint
  let cosignature: NoteSignature
  /// Of the cosignature, in seconds since 1970.
  let timestamp: UInt64

  var checkpoint: Checkpoint { signed.checkpoint }

  static func path(of origin: ByteText) -> String { WitnessedLog.hash(of: origin) + "/checkpoint" }

  /// - Parameter signed: a checkpoint that one of the log's keys has signed.
  init(_ signed: SignedCheckpoint, log: WitnessedLog, cosignature: NoteSignature) throws(WitnessFailure) {
    // One line of each key.
    let lines = log.keys.compactMap { key in
      signed.note.signatures.first { $0.name == key.name && $0.keyID == key.keyID }
    }
    do throws(CheckpointRejection) {
      self.signed = try SignedCheckpoint(signed.checkpoint, signatures: lines + [cosignature])
    } catch {
      throw WitnessRecord.damaged(log.origin, error.description)
    }
    self.cosignature = cosignature
    guard let timestamp = Cosignature(bytes: cosignature.signature)?.timestamp else {
      throw WitnessRecord.damaged(log.origin, "its cosignature has no time")
    }
    self.timestamp = timestamp
  }

  /// - Returns: nil if nothing was ever cosigned.
  static func read(
    of origin: ByteText, cosignedBy key: NoteVerifierKey, from storage: some LogStorage
  ) throws(WitnessFailure) -> WitnessRecord? {
    let bytes: [UInt8]?
    do throws(StorageFailure) { bytes = try storage.read(path(of: origin)) } catch { throw WitnessFailure(error) }
    return try bytes.map { (bytes) throws(WitnessFailure) in
      try WitnessRecord(reading: bytes, of: origin, cosignedBy: key)
    }
  }

  private init(reading bytes: [UInt8], of origin: ByteText, cosignedBy key: NoteVerifierKey) throws(WitnessFailure) {
    do throws(CheckpointRejection) { signed = try SignedCheckpoint(parsing: bytes) } catch {
      throw WitnessRecord.damaged(origin, error.description)
    }
    guard signed.checkpoint.origin == origin else {
      throw WitnessRecord.damaged(origin, "it is of the log \(signed.checkpoint.origin)")
    }
    let own = signed.note.signatures.filter { $0.name == key.name && $0.keyID == key.keyID }
    guard own.count == 1, let cosignature = Cosignature(bytes: own[0].signature),
      cosignature.isMade(by: key, of: signed.checkpoint.text)
    else { throw WitnessRecord.damaged(origin, "it is not cosigned by \(key)") }
    self.cosignature = own[0]
    timestamp = cosignature.timestamp
  }

  /// Durable when it returns.
  func write(to storage: some LogStorage) throws(WitnessFailure) {
    let file = StoredFile(path: WitnessRecord.path(of: checkpoint.origin), bytes: signed.bytes)
    do throws(StorageFailure) { try storage.write([file]) } catch { throw WitnessFailure(error) }
  }

  private static func damaged(_ origin: ByteText, _ reason: String) -> WitnessFailure {
    WitnessFailure(
      path: path(of: origin), reason: "the record of \(origin) is not this witness's: \(reason)",
      remedy: "start it with the key and the folder that belong together; if the record is lost, begin with a new key")
  }
}

extension WitnessFailure {
  init(_ failure: StorageFailure) {
    self.init(
      path: failure.path, reason: "cannot \(failure.action) it: \(failure.reason)",
      remedy: "check the disk and the folder's permissions; nothing was cosigned")
  }
}
