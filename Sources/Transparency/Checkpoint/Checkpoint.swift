import Digests

/// What a log says about itself: so many entries, under this root.
///
/// Source: C2SP tlog-checkpoint, "Note text". Extension lines, which no monitor can check, are refused.
public struct Checkpoint: Hashable, Sendable {
  public static let originBytesMax = 255

  /// The log's name.
  public let origin: ByteText
  /// The number of entries, at most 2^63 - 1.
  public let size: UInt64
  public let root: MerkleHash

  /// - Throws: unless the origin is 1 to 255 bytes of one line of UTF-8, and the size is within its limit.
  public init(origin: ByteText, size: UInt64, root: MerkleHash) throws(CheckpointRejection) {
    guard Checkpoint.isOrigin(origin.bytes) else { throw .origin }
    guard size <= CanonicalDecimal.valueMax else { throw .size(String(size)) }
    self.origin = origin
    self.size = size
    self.root = root
  }

  /// Reads the text of a note.
  public init(parsing text: [UInt8]) throws(CheckpointRejection) {
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    guard lines.count == 4, lines[3].isEmpty else { throw .lineCount(lines.count - 1) }
    guard Checkpoint.isOrigin(Array(lines[0])) else { throw .origin }
    guard let size = CanonicalDecimal.value(lines[1]) else { throw .size(ByteText.shown(lines[1], bytesMax: 40)) }
    guard let root = MerkleHash(base64: lines[2]) else { throw .root }
    origin = ByteText(lines[0])
    self.size = size
    self.root = root
  }

  /// Three lines with their newlines: what a log signs.
  public var text: [UInt8] { origin.bytes + Array("\n\(size)\n\(root.base64)\n".utf8) }

  /// Whether it says that no entries add up to something else than the root of none.
  public var isImpossible: Bool { size == 0 && root != .emptyRoot }

  private static func isOrigin(_ bytes: [UInt8]) -> Bool {
    (1...originBytesMax).contains(bytes.count) && bytes.allSatisfy { $0 >= 0x20 } && bytes.isUTF8
  }
}

/// Why a note is not a checkpoint.
public enum CheckpointRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case note(NoteRejection)
  /// Not three lines; a checkpoint with extension lines has more.
  case lineCount(Int)
  case origin
  case size(String)
  case root
  /// No key of that origin has signed it.
  case notSigned(origin: ByteText)

  public var description: String {
    switch self {
    case .note(let rejection): rejection.description
    case .lineCount(let count): "a checkpoint has three lines, not \(count): origin, size and root"
    case .origin: "the checkpoint's origin is not 1 to \(Checkpoint.originBytesMax) bytes of UTF-8"
    case .size(let text): "the checkpoint's size \"\(text)\" is not a decimal number up to 2^63 - 1"
    case .root: "the checkpoint's root is not the padded base64 of 32 bytes"
    case .notSigned(let origin): "the checkpoint is not signed by a known key of its log \(origin)"
    }
  }
}
