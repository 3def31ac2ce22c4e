public import Transparency

/// Why a log cannot go on.
public enum LogFailure: Error, Sendable, CustomStringConvertible {
  case storage(StorageFailure)
  /// What is stored is not what this log writes: it is never repaired by guessing.
  case damaged(path: String, reason: String)
  /// The stored checkpoint is not one of this log.
  case checkpoint(CheckpointRejection)
  /// Entries that no bundle can hold, from 1 to 65,535 bytes are possible.
  case entry(byteCount: Int)
  /// More bytes of entries at once than a file of the storage may have.
  case batch(byteCount: Int)
  /// A write has failed before. What is on disk is not known until the log is opened again.
  case stopped

  public var description: String {
    switch self {
    case .storage(let failure): failure.description
    case .damaged(let path, let reason):
      "\(path) is damaged: \(reason); restore the log's folder from a copy, or start a new log under a new name"
    case .checkpoint(let rejection):
      "the stored checkpoint is not this log's: \(rejection); start the log with the key and name it was made with"
    case .entry(let count):
      "an entry of \(count) bytes cannot be logged; 1 to \(EntryBundle.entryBytesMax) bytes can"
    case .batch(let count):
      "a batch of \(count) bytes cannot be logged at once; append it in parts"
    case .stopped: "the log has stopped after a failed write; start it again"
    }
  }
}
