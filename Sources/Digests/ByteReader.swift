/// The bytes ended before what was announced.
public struct ByteReaderError: Error, Equatable, Sendable {
  public let wanted: Int
  public let left: Int

  public init(wanted: Int, left: Int) {
    self.wanted = wanted
    self.left = left
  }
}

/// Reads little-endian integers and slices from bytes that someone else wrote. Never reads past the
/// end, never allocates more than it was given.
public struct ByteReader: Sendable {
  private let bytes: [UInt8]
  public private(set) var offset = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var left: Int { bytes.count - offset }

  public mutating func read(count: Int) throws(ByteReaderError) -> ArraySlice<UInt8> {
    guard count >= 0 && count <= left else { throw ByteReaderError(wanted: count, left: left) }
    offset += count
    return bytes[(offset - count)..<offset]
  }

  public mutating func readInteger<T: FixedWidthInteger>(_: T.Type = T.self) throws(ByteReaderError) -> T {
    var value: T = 0
    for (i, b) in try read(count: T.bitWidth / 8).enumerated() {
      value |= T(truncatingIfNeeded: UInt64(b) << UInt64(8 * i))
    }
    return value
  }
}
