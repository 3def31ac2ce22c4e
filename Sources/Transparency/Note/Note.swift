/// Text and the signatures under it. Reading one checks its form only; nothing may be believed before
/// ``verified(by:)``.
///
/// Source: C2SP signed-note, "Format".
public struct Note: Sendable, Equatable {
  public static let bytesMax = 256 << 10
  /// C2SP asks for 16 at least.
  public static let signaturesMax = 100

  /// What is signed, with its final newline.
  public let text: [UInt8]
  public let signatures: [NoteSignature]

  /// - Parameters:
  ///   - text: UTF-8 that ends in a newline, without other control characters.
  ///   - signatures: at least one.
  public init(text: [UInt8], signatures: [NoteSignature]) throws(NoteRejection) {
    try Note.check(text)
    guard text.last == 0x0A else { throw .unfinishedLine }
    guard !signatures.isEmpty else { throw .noSignatures }
    guard signatures.count <= Note.signaturesMax else { throw .tooManySignatures(signatures.count) }
    self.text = text
    self.signatures = signatures
    let count = bytes.count
    guard count <= Note.bytesMax else { throw .tooLong(byteCount: count) }
  }

  public init(parsing bytes: [UInt8]) throws(NoteRejection) {
    guard bytes.count <= Note.bytesMax else { throw .tooLong(byteCount: bytes.count) }
    try Note.check(bytes)
    guard bytes.last == 0x0A else { throw .unfinishedLine }
    guard let end = Note.endOfText(bytes), end + 1 < bytes.count else { throw .noSignatures }
    let first = bytes[..<end].count { $0 == 0x0A } + 2
    // The last byte is a newline, so the last part is empty.
    let lines = bytes[(end + 1)...].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
    guard lines.count <= Note.signaturesMax else { throw .tooManySignatures(lines.count) }
    var signatures: [NoteSignature] = []
    for (i, line) in lines.enumerated() { signatures.append(try NoteSignature(line, number: first + i)) }
    text = Array(bytes[..<end])
    self.signatures = signatures
  }

  /// What ``init(parsing:)`` reads: equal to what it read.
  public var bytes: [UInt8] { text + [0x0A] + signatures.flatMap(\.line) }

  /// The same note with further signatures, those that it has already left out.
  public func adding(_ more: [NoteSignature]) throws(NoteRejection) -> Note {
    var seen = Set(signatures)
    return try Note(text: text, signatures: signatures + more.filter { seen.insert($0).inserted })
  }

  /// Whether `text` can be the text of a note.
  static func isText(_ text: [UInt8]) -> Bool { text.last == 0x0A && (try? check(text)) != nil }

  /// Where the last empty line is: just after the text.
  private static func endOfText(_ bytes: [UInt8]) -> Int? {
    var i = bytes.count - 1
    while i > 0 {
      if bytes[i] == 0x0A && bytes[i - 1] == 0x0A { return i }
      i -= 1
    }
    return nil
  }

  private static func check(_ bytes: [UInt8]) throws(NoteRejection) {
    var line = 1
    for c in bytes where c < 0x20 {
      guard c == 0x0A else { throw .controlCharacter(c, line: line) }
      line += 1
    }
    guard bytes.isUTF8 else { throw .notUTF8 }
  }
}
