import Digests
import ModelFiles
import Testing

@Suite struct FloatFormatTests {
  private func widen(_ format: FloatFormat, _ bytes: [UInt8]) -> [Float] {
    var values = [Float](repeating: 0, count: bytes.count / format.bytes)
    bytes.withUnsafeBytes { source in
      values.withUnsafeMutableBufferPointer { format.widen(source, into: $0) }
    }
    return values
  }

  /// All 65,536 of them, against the compiler's conversion.
  @Test func everyHalf() {
    let bytes = (0...UInt16.max).flatMap { $0.littleEndianBytes }
    for (bits, value) in zip(0...UInt16.max, widen(.f16, bytes)) {
      let expected = Float(Float16(bitPattern: bits))
      #expect(expected.isNaN ? value.isNaN : value.bitPattern == expected.bitPattern, "\(bits)")
    }
  }

  @Test func brainFloatsAndFloats() {
    #expect(widen(.bf16, [0x80, 0x3F, 0x49, 0xC0, 0x80, 0x7F]) == [1, -3.140625, .infinity])
    #expect(widen(.f32, [0, 0, 0x80, 0x3F, 1, 0, 0, 0]) == [1, Float.leastNonzeroMagnitude])
  }
}
