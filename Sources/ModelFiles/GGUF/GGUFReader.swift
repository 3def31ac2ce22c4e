/// A position in a GGUF file's header. Never reads past the end, never allocates.
struct GGUFReader {
  /// Longer strings are refused; a chat template or a tokenizer definition stays below.
  static let stringBytesMax = 64 << 20

  let bytes: UnsafeRawBufferPointer
  let file: String
  private(set) var offset = 0

  init(_ bytes: UnsafeRawBufferPointer, file: String) {
    self.bytes = bytes
    self.file = file
  }

  /// Passes over `count` bytes.
  mutating func skip(_ count: Int) throws(GGUFRejection) -> Range<Int> {
    guard count >= 0, count <= bytes.count - offset else { throw .ends(file: file, offset: bytes.count, wanted: count) }
    offset += count
    return (offset - count)..<offset
  }

  /// A little-endian number.
  mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(GGUFRejection) -> T {
    let range = try skip(MemoryLayout<T>.size)
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self))
  }

  /// A count of things of which each takes at least `bytesMin` bytes in what is left of the file.
  mutating func count(of what: String, max: Int, bytesMin: Int) throws(GGUFRejection) -> Int {
    let stated = try integer(UInt64.self)
    guard let count = Int(exactly: stated), count <= max else {
      throw .tooMany(file: file, what: what, count: stated, countMax: max)
    }
    guard count <= (bytes.count - offset) / Swift.max(bytesMin, 1) else {
      throw .ends(file: file, offset: bytes.count, wanted: count * bytesMin)
    }
    return count
  }

  /// The place of a string's bytes.
  mutating func string(_ what: String, max: Int = GGUFReader.stringBytesMax) throws(GGUFRejection) -> Range<Int> {
    let start = offset
    let stated = try integer(UInt64.self)
    guard let count = Int(exactly: stated), count <= max else {
      throw .string(file: file, what: what, offset: start, problem: "claims \(stated) bytes, more than \(max)")
    }
    return try skip(count)
  }

  /// A name: bounded UTF-8.
  mutating func name(_ what: String, max: Int) throws(GGUFRejection) -> String {
    let start = offset
    let range = try string(what, max: max)
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw .string(file: file, what: what, offset: start, problem: "is not UTF-8")
    }
    return text
  }
}
