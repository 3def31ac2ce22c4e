public import Transparency

/// How a log speaks with one witness.
public protocol WitnessClient: Sendable {
  /// Sends the body of `add-checkpoint`.
  ///
  /// - Throws: when there is no answer; the error says why in one line.
  func addCheckpoint(_ body: [UInt8]) async throws -> WitnessAnswer
}

/// What a witness says to a checkpoint. Nothing of it is verified.
///
/// Source: C2SP tlog-witness, "add-checkpoint".
public enum WitnessAnswer: Sendable, Equatable {
  /// 200: signature lines.
  case cosigned([NoteSignature])
  /// 409: the size that it has seen.
  case knows(size: UInt64)
  case refused(status: Int, text: String)
}

/// The body of `add-checkpoint`.
public enum WitnessRequest {
  /// - Parameters:
  ///   - old: the size that the witness has seen.
  ///   - hashes: the consistency proof from there.
  public static func body(old: UInt64, hashes: [MerkleHash], _ signed: SignedCheckpoint) -> [UInt8] {
    Array("old \(old)\n".utf8) + hashes.flatMap { Array("\($0.base64)\n".utf8) } + [0x0A] + signed.bytes
  }
}

/// A witness that a log asks: its name and key in the log's policy, and the way to it.
public struct WitnessLink: Sendable {
  public let name: ByteText
  public let key: NoteVerifierKey
  public let client: any WitnessClient

  public init(name: ByteText, key: NoteVerifierKey, client: any WitnessClient) {
    self.name = name
    self.key = key
    self.client = client
  }
}
