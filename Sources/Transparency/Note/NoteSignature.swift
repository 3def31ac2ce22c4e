import Digests

/// One signature line of a note. Nothing about it is verified.
///
/// Source: C2SP signed-note, "Signatures".
public struct NoteSignature: Hashable, Sendable {
  /// U+2014 and a space, with which every signature line begins.
  static let prefix: [UInt8] = [0xE2, 0x80, 0x94, 0x20]
  /// Enough for any assigned type: ML-DSA-44 has 2428.
  static let signatureBytesMax = 8192

  public let name: ByteText
  public let keyID: UInt32
  /// What follows the key ID: 64 bytes of type 0x01, 72 of 0x04.
  public let signature: [UInt8]

  /// - Parameter name: a key's name, as ``NoteVerifierKey`` checks it.
  init(name: ByteText, keyID: UInt32, signature: [UInt8]) {
    self.name = name
    self.keyID = keyID
    self.signature = signature
  }

  /// Reads one line without its newline, such as those that a witness answers with.
  public init(parsing line: some Collection<UInt8>) throws(NoteRejection) { try self.init(line, number: 1) }

  init(_ line: some Collection<UInt8>, number: Int) throws(NoteRejection) {
    guard line.starts(with: NoteSignature.prefix) else { throw .signatureLine(number) }
    let parts = line.dropFirst(NoteSignature.prefix.count)
      .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .signatureLine(number) }
    guard NoteVerifierKey.isName(Array(parts[0])) else { throw .signatureName(line: number) }
    guard parts[1].count <= (4 + NoteSignature.signatureBytesMax + 2) / 3 * 4,
      let bytes = Base64.bytes(String(decoding: parts[1], as: UTF8.self)), bytes.count > 4
    else { throw .signatureBytes(line: number) }
    name = ByteText(parts[0])
    keyID = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    signature = Array(bytes.dropFirst(4))
  }

  /// The line with its newline.
  public var line: [UInt8] {
    NoteSignature.prefix + name.bytes + [UInt8(ascii: " ")]
      + Array(Base64.string(keyID.bigEndianBytes + signature).utf8) + [UInt8(ascii: "\n")]
  }
}
