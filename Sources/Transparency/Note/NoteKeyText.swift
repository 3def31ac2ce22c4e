import Digests

/// The parts of `name+hex(key ID)+base64(type ‖ key)`, the form that public and secret keys share.
struct NoteKeyText {
  let name: ByteText
  let keyID: UInt32
  let type: UInt8
  /// What follows the type.
  let material: [UInt8]

  init(parsing text: some Collection<UInt8>) throws(NoteKeyRejection) {
    guard text.count <= NoteVerifierKey.textBytesMax else { throw .form }
    // Base64 has plus signs too: only the first two separate.
    let parts = text.split(separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .form }
    guard NoteVerifierKey.isName(Array(parts[0])) else { throw .name }
    let digits = String(decoding: parts[1], as: UTF8.self)
    guard parts[1].count == 8, let id = Hex.bytes(digits), id.count == 4 else {
      throw .keyIDForm(ByteText.shown(parts[1], bytesMax: 20))
    }
    guard let key = Base64.bytes(String(decoding: parts[2], as: UTF8.self)), let type = key.first else {
      throw .base64
    }
    name = ByteText(parts[0])
    keyID = id.reduce(0) { $0 << 8 | UInt32($1) }
    self.type = type
    material = Array(key.dropFirst())
  }
}
