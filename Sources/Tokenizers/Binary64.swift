/// IEEE 754 binary64 numbers in integer arithmetic: just what summing log-probabilities takes.
///
/// Hugging Face adds Unigram scores as doubles and SentencePiece as floats; where two segmentations have the
/// same score on paper the rounding of those sums decides. Ids must equal theirs, on every machine, so the
/// sums are rounded here exactly as IEEE 754 does (to nearest, ties to even), without floating point.
struct Binary64: Sendable, Equatable {
  /// 0, or 53 bits with the highest set.
  private(set) var significand: UInt64 = 0
  private(set) var exponent: Int32 = 0
  private(set) var isNegative = false

  static let zero = Binary64()

  private init() {}

  init(_ value: UInt64, isNegative: Bool = false) {
    self.init(UInt128(value), exponent: 0, isNegative: isNegative, sticky: false)
  }

  /// The value of an IEEE 754 binary32 number; nil for infinities and what is no number.
  init?(singleBits bits: UInt32) {
    let biased = Int(bits >> 23 & 0xFF)
    guard biased != 0xFF else { return nil }
    let fraction = UInt128(bits & 0x7F_FFFF)
    self.init(
      biased == 0 ? fraction : fraction | 1 << 23, exponent: max(biased, 1) - 150, isNegative: bits >> 31 == 1,
      sticky: false)
  }

  var magnitude: Binary64 {
    var out = self
    out.isNegative = false
    return out
  }

  var negated: Binary64 {
    var out = self
    out.isNegative = !isNegative
    return out
  }

  /// Rounded to the 24 bits of a binary32 number.
  var roundedToSingle: Binary64 {
    var out = self
    let half: UInt64 = 1 << 28
    let cut = significand & (2 * half - 1)
    out.significand = significand - cut
    if cut > half || (cut == half && out.significand >> 29 & 1 == 1) {
      out.significand += 2 * half
      if out.significand == 1 << 53 {
        out.significand = 1 << 52
        out.exponent += 1
      }
    }
    return out
  }

  /// magnitude · 2^exponent, rounded; `sticky` says that something below the magnitude was cut off.
  private init(_ magnitude: UInt128, exponent: Int, isNegative: Bool, sticky: Bool) {
    guard magnitude != 0 else { return }
    var exponent = exponent
    let shift = 128 - magnitude.leadingZeroBitCount - 53
    if shift <= 0 {
      significand = UInt64(truncatingIfNeeded: magnitude << UInt128(-shift))
    } else {
      let cut = magnitude & ((1 << UInt128(shift)) - 1)
      let half: UInt128 = 1 << UInt128(shift - 1)
      significand = UInt64(truncatingIfNeeded: magnitude >> UInt128(shift))
      if cut > half || (cut == half && (sticky || significand & 1 == 1)) { significand += 1 }
      if significand == 1 << 53 {
        significand = 1 << 52
        exponent += 1
      }
    }
    exponent += shift
    self.exponent = Int32(clamping: exponent)
    self.isNegative = isNegative
  }

  /// Reads a JSON number the way serde_json does by default: the digits as an integer, rounded, then
  /// multiplied or divided by a power of ten, rounded again. Nil outside the range of such scores.
  init?(decimal text: String) {
    var digits: UInt64 = 0
    var scale = 0
    var isNegative = false
    var seenPoint = false
    var dropping = false
    var bytes = Array(text.utf8)[...]
    if bytes.first == UInt8(ascii: "-") {
      isNegative = true
      bytes.removeFirst()
    }
    while let c = bytes.popFirst() {
      switch c {
      case UInt8(ascii: "."): seenPoint = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let (tens, o1) = digits.multipliedReportingOverflow(by: 10)
        let (sum, o2) = tens.addingReportingOverflow(UInt64(c - 0x30))
        if dropping || o1 || o2 {
          // Digits that no longer fit an integer are left out.
          dropping = true
          if !seenPoint { scale += 1 }
        } else {
          digits = sum
          if seenPoint { scale -= 1 }
        }
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        guard let e = Int(String(decoding: bytes, as: UTF8.self)), (-1000...1000).contains(e) else { return nil }
        scale += e
        bytes = []
      default: return nil
      }
    }
    guard digits != 0 else {
      self = .zero
      return
    }
    guard abs(scale) <= 22 else {
      // Powers of ten beyond 10^22 are not exact doubles; such scores are as good as nothing.
      guard scale < 0 else { return nil }
      self = .zero
      return
    }
    var power: UInt128 = 1
    for _ in 0..<abs(scale) { power *= 10 }
    let value = Binary64(digits, isNegative: isNegative)
    let ten = Binary64(power, exponent: 0, isNegative: false, sticky: false)
    self = scale < 0 ? value.divided(by: ten) : value.multiplied(by: ten)
  }

  func divided(by other: Binary64) -> Binary64 {
    let numerator = UInt128(significand) << 64
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: UInt128(other.significand))
    return Binary64(
      quotient, exponent: Int(exponent) - Int(other.exponent) - 64, isNegative: isNegative != other.isNegative,
      sticky: remainder != 0)
  }

  func multiplied(by other: Binary64) -> Binary64 {
    Binary64(
      UInt128(significand) * UInt128(other.significand), exponent: Int(exponent) + Int(other.exponent),
      isNegative: isNegative != other.isNegative, sticky: false)
  }

  static func + (a: Binary64, b: Binary64) -> Binary64 {
    if a.significand == 0 { return b }
    if b.significand == 0 { return a }
    let (high, low) = a.exponent >= b.exponent ? (a, b) : (b, a)
    let distance = Int(high.exponent) - Int(low.exponent)
    // Less than a quarter of the last place of the other.
    if distance > 64 { return high }
    let x = UInt128(high.significand) << UInt128(distance)
    let y = UInt128(low.significand)
    let exponent = Int(low.exponent)
    if high.isNegative == low.isNegative {
      return Binary64(x + y, exponent: exponent, isNegative: high.isNegative, sticky: false)
    }
    return x >= y
      ? Binary64(x - y, exponent: exponent, isNegative: high.isNegative, sticky: false)
      : Binary64(y - x, exponent: exponent, isNegative: low.isNegative, sticky: false)
  }

  static func > (a: Binary64, b: Binary64) -> Bool {
    if a.significand == 0 { return b.significand != 0 && b.isNegative }
    if b.significand == 0 { return !a.isNegative }
    if a.isNegative != b.isNegative { return b.isNegative }
    if a.exponent != b.exponent { return (a.exponent > b.exponent) != a.isNegative }
    if a.significand != b.significand { return (a.significand > b.significand) != a.isNegative }
    return false
  }
}
