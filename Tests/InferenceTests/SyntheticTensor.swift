import ModelGraph
import TestSupport

/// The bytes of one random tensor.
struct SyntheticTensor {
  let kind: TensorEntry.Kind
  let shape: [Int]
  private(set) var bytes: [UInt8] = []
  private(set) var exponent = 0

  init(kind: TensorEntry.Kind, shape: [Int]) {
    self.kind = kind
    self.shape = shape
  }

  private var count: Int { shape.reduce(1, *) }

  /// - Parameter hostile: every few values one at a bound of its kind, and any exponent.
  mutating func fill(hostile: Bool, _ random: inout SplitMix64) {
    bytes = []
    exponent = hostile ? SyntheticTensor.anyExponent(&random) : usualExponent
    // One value in `every` is exaggerated; 0 for none.
    let every = hostile ? 1 + Int(random.next() % 5) : 0
    func isExtreme(_ i: Int) -> Bool { every > 0 && i % every == 0 }
    switch kind {
    case .linear8:
      for i in 0..<count { append(isExtreme(i) ? (random.flip() ? 127 : -128) : Int8(random.symmetric(127))) }
    case .linear16, .table16:
      for i in 0..<count { append(isExtreme(i) ? (random.flip() ? 32767 : -32768) : Int16(random.symmetric(32767))) }
    case .gain:
      for i in 0..<count {
        let value = Int32((1 << 20) + Int(random.next() % (1 << 21)))
        append(isExtreme(i) ? random.sign * ((1 << 23) - 1) : random.next() % 16 == 0 ? -value : value)
      }
    case .bias:
      for i in 0..<count { append(isExtreme(i) ? random.sign * ((1 << 23) - 1) : Int32(random.symmetric(1 << 22))) }
    case .linear4, .linear4m:
      for i in 0..<(count / 2) {
        bytes.append(isExtreme(i) ? (random.flip() ? 0xFF : 0x0F) : UInt8(truncatingIfNeeded: random.next()))
      }
      pad()
      var minimums: [UInt16] = []
      for i in 0..<(count / Linear4.groupSize) {
        let group = isExtreme(i) ? extremeGroup(&random) : usualGroup(&random)
        append(group.multiplier)
        minimums.append(group.minimum)
      }
      if kind == .linear4m {
        pad()
        for minimum in minimums { append(minimum) }
      }
    }
    if kind == .gain || kind == .bias { return }
    pad()
    for j in 0..<shape[0] {
      append(isExtreme(j) ? (random.flip() ? UInt32((1 << 24) - 1) : 0) : UInt32((1 << 23) + random.next() % (1 << 23)))
    }
  }

  private mutating func append(_ x: some FixedWidthInteger) {
    withUnsafeBytes(of: x.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func pad() {
    bytes += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(bytes.count) - bytes.count)
  }

  /// Mantissas of 10 bits with shifts of 0 to 3; a minimum in the middle of the weights that it makes.
  private func usualGroup(_ random: inout SplitMix64) -> (multiplier: UInt16, minimum: UInt16) {
    let shift = UInt16(random.next() % 4) << 11
    let mantissa = UInt16(1024 + random.next() % 1024)
    let sign: UInt16 = kind == .linear4 && random.flip() ? 1 << 15 : 0
    return (mantissa | shift | sign, mantissa / 2 | shift)
  }

  /// The largest that keep every weight within 2^30, or zeros with a sign and a shift.
  private func extremeGroup(_ random: inout SplitMix64) -> (multiplier: UInt16, minimum: UInt16) {
    let sign: UInt16 = random.flip() ? 1 << 15 : 0
    return random.flip() ? (0x7FFF | sign, 0x7FFF | sign) : (0x7800 | sign, 0x0800 | sign)
  }

  /// Gives rows of length about 1, gains about √d.
  private var usualExponent: Int {
    switch kind {
    // 73 · 2^23.5 · √in
    case .linear8: 30 + SyntheticTensor.halfBitLength(shape[1])
    // 4.6 · 1500 · 2^2 · 2^23.5 · √in
    case .linear4, .linear4m: 38 + SyntheticTensor.halfBitLength(shape[1])
    // 19000 · 2^23.5 · √in
    case .linear16: 38 + SyntheticTensor.halfBitLength(shape[1])
    // 19000 · 2^23.5: elements about 1
    case .table16: 38
    // √d in 2^19…2^22
    case .gain: 21 - SyntheticTensor.halfBitLength(shape[0])
    // Elements of about a quarter
    case .bias: 23
    }
  }

  private static func halfBitLength(_ n: Int) -> Int { (Int.bitWidth - n.leadingZeroBitCount) / 2 }

  private static func anyExponent(_ random: inout SplitMix64) -> Int {
    switch random.next() % 12 {
    case 0: -256
    case 1: 256
    case 2: 0
    default: Int.random(in: -20...60, using: &random)
    }
  }
}

extension SplitMix64 {
  mutating func flip() -> Bool { next() % 2 == 0 }
  var sign: Int32 { mutating get { flip() ? 1 : -1 } }
  mutating func symmetric(_ limit: Int) -> Int { Int.random(in: -limit...limit, using: &self) }
}
