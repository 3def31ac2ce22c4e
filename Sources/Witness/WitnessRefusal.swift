public import Transparency

/// Why a witness does not cosign; the log, or whoever asks, is at fault.
///
/// Source: C2SP tlog-witness, "add-checkpoint", which gives each its HTTP status.
public enum WitnessRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  case malformed(AddCheckpointRejection)
  /// The old size is beyond the new one.
  case oldBeyondSize(old: UInt64, size: UInt64)
  case unknownLog(ByteText)
  /// No known key of that log has signed, or a signature in its name is wrong.
  case notSigned(CheckpointRejection)
  /// The last cosigned size is another one.
  case conflict(size: UInt64)
  /// A checkpoint of no entries has a root of some.
  case impossible
  case inconsistent(ProofRejection)

  /// The HTTP status.
  public var status: Int {
    switch self {
    case .malformed, .oldBeyondSize: 400
    case .notSigned: 403
    case .unknownLog: 404
    case .conflict: 409
    case .impossible, .inconsistent: 422
    }
  }

  public var description: String {
    switch self {
    case .malformed(let rejection): rejection.description
    case .oldBeyondSize(let old, let size): "the old size \(old) is beyond the checkpoint's size \(size)"
    case .unknownLog(let origin): "this witness does not know the log \(origin)"
    case .notSigned(let rejection): rejection.description
    case .conflict(let size): "the last cosigned checkpoint has the size \(size)"
    case .impossible: "a checkpoint of size 0 must have the root of the empty tree"
    case .inconsistent(let rejection): rejection.description
    }
  }
}

/// Why a witness cannot do its work; the disk, or whoever changed its files, is at fault.
public struct WitnessFailure: Error, Equatable, Sendable, CustomStringConvertible {
  public let path: String
  public let reason: String
  public let remedy: String

  public init(path: String, reason: String, remedy: String) {
    self.path = path
    self.reason = reason
    self.remedy = remedy
  }

  public var description: String { "\(path): \(reason); \(remedy)" }
}
