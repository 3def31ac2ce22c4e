/// The quantised formats of ggml that an import accepts: groups of small integers with a scale each.
///
/// Source: the block layouts and reference dequantisation of ggml (`ggml-common.h`, `ggml-quants.c`).
public enum BlockFormat: String, Sendable, CaseIterable {
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q80 = "Q8_0"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"

  /// Elements of one block.
  public var blockElements: Int {
    switch self {
    case .q40, .q41, .q50, .q51, .q80: 32
    case .q4K, .q5K, .q6K: 256
    }
  }

  /// Bytes of one block.
  public var blockBytes: Int {
    switch self {
    case .q40: 18
    case .q41: 20
    case .q50: 22
    case .q51: 24
    case .q80: 34
    case .q4K: 144
    case .q5K: 176
    case .q6K: 210
    }
  }

  /// Elements that share a scale.
  public var groupElements: Int { self == .q6K ? 16 : 32 }

  /// Every quantised integer lies in 0 ..< 2^bits.
  public var bits: Int {
    switch self {
    case .q40, .q41, .q4K: 4
    case .q50, .q51, .q5K: 5
    case .q6K: 6
    case .q80: 8
    }
  }

  /// The integer that stands for zero, in the formats without a minimum.
  var zeroPoint: Int {
    switch self {
    case .q40: 8
    case .q50: 16
    case .q6K: 32
    case .q80: 128
    case .q41, .q51, .q4K, .q5K: 0
    }
  }

  /// The integers of group `g` of a block; w = scale · (q - zeroPoint) - minimum.
  ///
  /// Scale and minimum are products of a binary16 number and an integer of at most 8 bits, so both are exact.
  ///
  /// - Parameter quants: receives ``groupElements`` integers.
  @inline(__always)
  func unpack(
    _ block: UnsafeRawPointer, group g: Int, into quants: UnsafeMutablePointer<UInt8>
  ) -> (scale: Float, minimum: Float) {
    let bytes = block.assumingMemoryBound(to: UInt8.self)
    switch self {
    case .q40:
      BlockFormat.nibblePairs(bytes + 2, into: quants)
      return (BlockFormat.half(block), 0)
    case .q41:
      BlockFormat.nibblePairs(bytes + 4, into: quants)
      return (BlockFormat.half(block), -BlockFormat.half(block + 2))
    case .q50:
      BlockFormat.nibblePairs(bytes + 6, into: quants)
      BlockFormat.addFifthBits(block + 2, to: quants)
      return (BlockFormat.half(block), 0)
    case .q51:
      BlockFormat.nibblePairs(bytes + 8, into: quants)
      BlockFormat.addFifthBits(block + 4, to: quants)
      return (BlockFormat.half(block), -BlockFormat.half(block + 2))
    case .q80:
      for i in 0..<32 { quants[i] = bytes[2 &+ i] ^ 0x80 }
      return (BlockFormat.half(block), 0)
    case .q4K:
      BlockFormat.nibbles(bytes + 16 + 32 &* (g / 2), high: g % 2 == 1, count: 32, into: quants)
      return BlockFormat.scaleAndMinimum(block, group: g)
    case .q5K:
      BlockFormat.nibbles(bytes + 48 + 32 &* (g / 2), high: g % 2 == 1, count: 32, into: quants)
      for i in 0..<32 { quants[i] |= (bytes[16 &+ i] &>> UInt8(truncatingIfNeeded: g) & 1) &<< 4 }
      return BlockFormat.scaleAndMinimum(block, group: g)
    case .q6K:
      // Each half block interleaves four runs of 32: low nibbles, high nibbles, two bits each above them.
      let (half, run, first) = (g / 8, g % 8 / 2, 16 &* (g % 2))
      BlockFormat.nibbles(
        bytes + 64 &* half + 32 &* (run % 2) + first, high: run >= 2, count: 16, into: quants)
      let high = bytes + 128 + 32 &* half + first
      for i in 0..<16 { quants[i] |= (high[i] &>> UInt8(truncatingIfNeeded: 2 &* run) & 3) &<< 4 }
      return (BlockFormat.half(block + 208) * Float(Int8(bitPattern: bytes[192 &+ g])), 0)
    }
  }

  /// The elements of whole blocks as ggml's reference computes them, in binary32.
  ///
  /// - Parameters:
  ///   - source: exactly the blocks of `target`, at any address.
  package func dequantise(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(target.count % blockElements == 0 && source.count == target.count / blockElements * blockBytes)
    guard var block = source.baseAddress, var to = target.baseAddress else { return }
    let (count, zero) = (groupElements, Int32(zeroPoint))
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { quants in
      guard let quants = quants.baseAddress else { return }
      for _ in 0..<(target.count / blockElements) {
        for g in 0..<(blockElements / count) {
          let (scale, minimum) = unpack(block, group: g, into: quants)
          // A format without a minimum must not turn a negative zero into a positive one.
          if zero != 0 {
            for i in 0..<count { to[i] = scale * Float(Int32(quants[i]) &- zero) }
          } else {
            for i in 0..<count { to[i] = scale * Float(quants[i]) - minimum }
          }
          to += count
        }
        block += blockBytes
      }
    }
  }

  // MARK: Parts of blocks

  @inline(__always)
  private static func half(_ at: UnsafeRawPointer) -> Float {
    FloatFormat.widenHalf(UInt16(littleEndian: at.loadUnaligned(as: UInt16.self)))
  }

  /// 16 bytes: elements 0…15 in the low nibbles, 16…31 in the high ones.
  @inline(__always)
  private static func nibblePairs(_ from: UnsafePointer<UInt8>, into quants: UnsafeMutablePointer<UInt8>) {
    for i in 0..<16 {
      quants[i] = from[i] & 0x0F
      quants[16 &+ i] = from[i] &>> 4
    }
  }

  /// One nibble of each byte.
  @inline(__always)
  private static func nibbles(
    _ from: UnsafePointer<UInt8>, high: Bool, count: Int, into quants: UnsafeMutablePointer<UInt8>
  ) {
    if high {
      for i in 0..<count { quants[i] = from[i] &>> 4 }
    } else {
      for i in 0..<count { quants[i] = from[i] & 0x0F }
    }
  }

  /// Bit i of a 32-bit word is the fifth bit of element i.
  @inline(__always)
  private static func addFifthBits(_ at: UnsafeRawPointer, to quants: UnsafeMutablePointer<UInt8>) {
    let word = UInt32(littleEndian: at.loadUnaligned(as: UInt32.self))
    for i in 0..<32 {
      quants[i] |= UInt8(truncatingIfNeeded: word &>> UInt32(truncatingIfNeeded: i) & 1) &<< 4
    }
  }

  /// The six-bit scale and minimum of group `g`, times the block's two binary16 numbers.
  ///
  /// Twelve bytes hold eight of each: four whole in the low six bits of bytes 0…3 and 4…7, the others with
  /// four bits in bytes 8…11 and two in the high bits of the first eight.
  @inline(__always)
  private static func scaleAndMinimum(_ block: UnsafeRawPointer, group g: Int) -> (scale: Float, minimum: Float) {
    let packed = (block + 4).assumingMemoryBound(to: UInt8.self)
    let (scale, minimum): (UInt8, UInt8)
    if g < 4 {
      (scale, minimum) = (packed[g] & 63, packed[g &+ 4] & 63)
    } else {
      scale = packed[g &+ 4] & 0x0F | (packed[g &- 4] &>> 6) &<< 4
      minimum = packed[g &+ 4] &>> 4 | (packed[g] &>> 6) &<< 4
    }
    return (half(block) * Float(scale), half(block + 2) * Float(minimum))
  }
}
