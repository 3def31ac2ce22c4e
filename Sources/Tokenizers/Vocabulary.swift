/// Token strings and their ids. Strings are compared as bytes.
struct Vocabulary: Sendable {
  /// Ids beyond this are refused: tables are indexed by id.
  static let idsMax = 1 << 22
  /// The time that Unigram and WordPiece take grows with it.
  static let tokenBytesMax = 4096

  /// Every token's bytes, one after the other; keys of `ids` are slices of it.
  private var blob: [UInt8] = []
  private var ranges: [Range<Int32>?] = []
  private var ids: [ByteKey: Int32] = [:]

  init() {}

  /// - Throws: when an id is used twice, or out of range. A string that comes twice keeps its last id.
  init(_ entries: [(bytes: [UInt8], id: Int)]) throws(TokenizerError) {
    guard entries.count <= Self.idsMax else {
      throw .tooLarge(what: "tokens", count: entries.count, countMax: Self.idsMax)
    }
    var bytesTotal = 0
    for e in entries {
      guard e.bytes.count <= Self.tokenBytesMax else {
        throw .tooLarge(what: "bytes in one token", count: e.bytes.count, countMax: Self.tokenBytesMax)
      }
      bytesTotal += e.bytes.count
    }
    guard bytesTotal <= Int(Int32.max) else {
      throw .tooLarge(what: "bytes of tokens", count: bytesTotal, countMax: Int(Int32.max))
    }
    blob.reserveCapacity(bytesTotal)
    for e in entries {
      guard e.id >= 0, e.id < Self.idsMax else {
        throw .invalid(field: "model.vocab", reason: "the id \(e.id) is not between 0 and \(Self.idsMax - 1)")
      }
      if e.id >= ranges.count { ranges.append(contentsOf: repeatElement(nil, count: e.id + 1 - ranges.count)) }
      guard ranges[e.id] == nil else {
        throw .invalid(field: "model.vocab", reason: "two tokens have the id \(e.id)")
      }
      ranges[e.id] = Int32(blob.count)..<Int32(blob.count + e.bytes.count)
      blob.append(contentsOf: e.bytes)
    }
    ids.reserveCapacity(entries.count)
    for e in entries {
      if let r = ranges[e.id] { ids[ByteKey(blob[Int(r.lowerBound)..<Int(r.upperBound)])] = Int32(e.id) }
    }
  }

  /// One more than the greatest id.
  var size: Int { ranges.count }

  func id(of bytes: ArraySlice<UInt8>) -> Int32? { ids[ByteKey(bytes)] }
  func id(of bytes: [UInt8]) -> Int32? { ids[ByteKey(bytes[...])] }
  func id(of text: String) -> Int32? { id(of: Array(text.utf8)) }

  func bytes(of id: Int) -> ArraySlice<UInt8>? {
    guard id >= 0, id < ranges.count, let r = ranges[id] else { return nil }
    return blob[Int(r.lowerBound)..<Int(r.upperBound)]
  }

  /// The ids of the tokens `<0x00>` to `<0xFF>`; nil where one is missing.
  func byteTokens() -> [Int32?] {
    let digits = Array("0123456789ABCDEF".utf8)
    return (0..<256).map { b in
      id(of: Array("<0x".utf8) + [digits[b >> 4], digits[b & 15]] + Array(">".utf8))
    }
  }

  /// The byte that a token of the form `<0xAB>` stands for.
  static func byte(ofToken token: ArraySlice<UInt8>) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">") else { return nil }
    func value(_ c: UInt8) -> UInt8? {
      switch c {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): c - UInt8(ascii: "0")
      case UInt8(ascii: "A")...UInt8(ascii: "F"): c - UInt8(ascii: "A") + 10
      case UInt8(ascii: "a")...UInt8(ascii: "f"): c - UInt8(ascii: "a") + 10
      default: nil
      }
    }
    let i = token.startIndex
    guard let high = value(token[i + 3]), let low = value(token[i + 4]) else { return nil }
    return high << 4 | low
  }
}

/// Bytes as a dictionary key.
struct ByteKey: Hashable, Sendable {
  let bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  static func == (a: ByteKey, b: ByteKey) -> Bool { a.bytes.elementsEqual(b.bytes) }

  func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}
