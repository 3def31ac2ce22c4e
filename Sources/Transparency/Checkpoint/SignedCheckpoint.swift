/// A checkpoint with the signatures under it, none of them verified.
public struct SignedCheckpoint: Sendable, Equatable {
  public let checkpoint: Checkpoint
  public let note: Note

  public init(_ checkpoint: Checkpoint, signatures: [NoteSignature]) throws(CheckpointRejection) {
    self.checkpoint = checkpoint
    do { note = try Note(text: checkpoint.text, signatures: signatures) } catch { throw .note(error) }
  }

  public init(parsing bytes: [UInt8]) throws(CheckpointRejection) {
    do { note = try Note(parsing: bytes) } catch { throw .note(error) }
    checkpoint = try Checkpoint(parsing: note.text)
  }

  /// What a log serves as `checkpoint`.
  public var bytes: [UInt8] { note.bytes }

  /// The same checkpoint with further signatures.
  public func adding(_ signatures: [NoteSignature]) throws(CheckpointRejection) -> SignedCheckpoint {
    do { return SignedCheckpoint(checkpoint, try note.adding(signatures)) } catch { throw .note(error) }
  }

  private init(_ checkpoint: Checkpoint, _ note: Note) {
    self.checkpoint = checkpoint
    self.note = note
  }

  /// Verifies every line by a known key.
  ///
  /// - Parameter keys: those of logs, whose names are their origins, and of witnesses.
  /// - Returns: the log's signature and the cosignatures.
  /// - Throws: also if no key of type 0x01 that is called as the origin has signed.
  public func verified(
    by keys: [NoteVerifierKey]
  ) throws(CheckpointRejection) -> (log: NoteVerifierKey, cosignatures: [VerifiedSignature]) {
    let signatures: [VerifiedSignature]
    do { signatures = try note.verified(by: keys) } catch {
      throw error == .noKnownSignature ? .notSigned(origin: checkpoint.origin) : .note(error)
    }
    let isLog = { (key: NoteVerifierKey) in key.kind == .ed25519 && key.name == checkpoint.origin }
    guard let log = signatures.first(where: { isLog($0.key) }) else { throw .notSigned(origin: checkpoint.origin) }
    return (log.key, signatures.filter { $0.timestamp != nil })
  }
}
