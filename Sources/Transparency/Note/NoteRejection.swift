import Digests

/// Why bytes are not a signed note, or not one that the known keys stand behind. Lines count from 1.
public enum NoteRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(byteCount: Int)
  case notUTF8
  case controlCharacter(UInt8, line: Int)
  /// No empty line before the signatures, or nothing after it.
  case noSignatures
  /// The last line does not end in a newline.
  case unfinishedLine
  case signatureLine(Int)
  case signatureName(line: Int)
  case signatureBytes(line: Int)
  case tooManySignatures(Int)
  /// A line by a known key that the key did not sign.
  case badSignature(name: ByteText, keyID: UInt32)
  /// No line is by a known key.
  case noKnownSignature
  /// Two different known keys of one name and key ID.
  case ambiguousKey(name: ByteText, keyID: UInt32)

  public var description: String {
    switch self {
    case .tooLong(let count): "the note is \(count) bytes long; the limit is \(Note.bytesMax)"
    case .notUTF8: "the note is not UTF-8"
    case .controlCharacter(let c, let line): "line \(line) of the note has the control character 0x\(Hex.string([c]))"
    case .noSignatures: "the note has no signatures after an empty line"
    case .unfinishedLine: "the note does not end in a newline"
    case .signatureLine(let line): "line \(line) of the note is not \"— name base64\""
    case .signatureName(let line): "line \(line) of the note has no valid key name"
    case .signatureBytes(let line): "line \(line) of the note has no padded base64 of key ID and signature"
    case .tooManySignatures(let count): "the note has \(count) signatures; the limit is \(Note.signaturesMax)"
    case .badSignature(let name, let id):
      "the signature of \(name) (\(Hex.string(id.bigEndianBytes))) does not fit the note"
    case .noKnownSignature: "no known key has signed the note"
    case .ambiguousKey(let name, let id):
      "two known keys are called \(name) and have the key ID \(Hex.string(id.bigEndianBytes))"
    }
  }
}
