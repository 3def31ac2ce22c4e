/// The floating-point formats that an import accepts.
public enum FloatFormat: String, Sendable, CaseIterable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"

  public var bytes: Int { self == .f32 ? 4 : 2 }

  /// Widens little-endian elements to binary32, which represents every value of all three formats.
  ///
  /// - Parameters:
  ///   - source: exactly `target.count` elements, at any address.
  package func widen(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(source.count == target.count * bytes)
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    switch self {
    case .f32:
      for i in 0..<target.count {
        to[i] = Float(bitPattern: UInt32(littleEndian: from.loadUnaligned(fromByteOffset: 4 &* i, as: UInt32.self)))
      }
    case .bf16:
      for i in 0..<target.count {
        let bits = UInt16(littleEndian: from.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
        to[i] = Float(bitPattern: UInt32(bits) &<< 16)
      }
    case .f16:
      for i in 0..<target.count {
        to[i] = FloatFormat.widenHalf(UInt16(littleEndian: from.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)))
      }
    }
  }

  /// IEEE 754 binary16 to binary32, exactly.
  @inline(__always)
  static func widenHalf(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) &<< 16
    let magnitude = UInt32(half & 0x7FFF) &<< 13
    if half & 0x7C00 == 0x7C00 { return Float(bitPattern: sign | 0x7F80_0000 | magnitude) }
    // The exponent's bias grows from 15 to 127; the product is exact, also for subnormal halves.
    let value = Float(bitPattern: magnitude) * 0x1p112
    return Float(bitPattern: sign | value.bitPattern)
  }
}
