import Digests

/// A signature line that a known key made.
public struct VerifiedSignature: Hashable, Sendable {
  public let key: NoteVerifierKey
  /// Seconds since 1970 when a cosigner saw the checkpoint; nil for signatures of type 0x01.
  public let timestamp: UInt64?
}

extension Note {
  /// Verifies every line whose name and key ID are those of one of `keys`, and ignores the others.
  ///
  /// - Returns: what was verified, in the order of the lines.
  /// - Throws: ``NoteRejection/badSignature(name:keyID:)`` if a known key did not make a line in its name;
  ///   ``NoteRejection/noKnownSignature`` if there is no line by a known key.
  public func verified(by keys: [NoteVerifierKey]) throws(NoteRejection) -> [VerifiedSignature] {
    var known: [KeyName: NoteVerifierKey] = [:]
    for key in keys {
      let other = known.updateValue(key, forKey: KeyName(name: key.name, id: key.keyID))
      guard other == nil || other == key else { throw .ambiguousKey(name: key.name, keyID: key.keyID) }
    }
    var verified: [VerifiedSignature] = []
    for line in signatures {
      guard let key = known[KeyName(name: line.name, id: line.keyID)] else { continue }
      guard let signature = key.verify(line.signature, of: text) else {
        throw .badSignature(name: line.name, keyID: line.keyID)
      }
      verified.append(signature)
    }
    guard !verified.isEmpty else { throw .noKnownSignature }
    return verified
  }

  private struct KeyName: Hashable {
    let name: ByteText
    let id: UInt32
  }
}

extension NoteVerifierKey {
  /// - Returns: nil unless the key made `signature` of the note's text.
  fileprivate func verify(_ signature: [UInt8], of text: [UInt8]) -> VerifiedSignature? {
    switch kind {
    case .ed25519:
      return key.verifies(signature, of: text) ? VerifiedSignature(key: self, timestamp: nil) : nil
    case .cosignature:
      guard let cosignature = Cosignature(bytes: signature), cosignature.isMade(by: self, of: text) else { return nil }
      return VerifiedSignature(key: self, timestamp: cosignature.timestamp)
    }
  }
}
