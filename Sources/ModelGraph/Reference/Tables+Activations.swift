extension Tables {
  /// Φt16[i] = 16384 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))), x = i / 256, nearest. Shape: 4097.
  public static let normalTanh: [Int32] = (0...4096).map { makeNormalTanh($0) }
  /// Φe16[i] = 16384 · (1 + erf(x / √2)), x = i / 256, nearest. Shape: 4097.
  public static let normal: [Int32] = (0...4096).map { makeNormal($0) }
  /// H[i] = 2^24 · tanh(i / 512), nearest. Shape: 4097.
  public static let tanh: [Int32] = powersOfE.map { makeTanh($0) }

  /// Σ of section 4.8.
  package static func table(of activation: Activation) -> [Int32] {
    switch activation {
    case .silu: sigmoid
    case .geluTanh: normalTanh
    case .gelu: normal
    }
  }

  // MARK: Hyperbolic tangent

  /// tanh(y) = (1 - e^(-2y)) / (1 + e^(-2y)), from the power e^(-2y) with 62 fractional bits.
  ///
  /// An error of 2^-48 in the power is one of at most 2^-47 in the quotient, 2^-23 in the entry.
  private static func makeTanh(_ power: UInt128) -> Int32 {
    let value = ((one - power) << (24 + 32)) / (one + power)
    return nearest(value, fraction: 32, margin: 20)
  }

  // MARK: Normal distribution, by its approximation

  /// floor(√(8/π) · 2^60).
  private static let rootOfEightOverPi: UInt128 = 0x1988_4533_D436_508D

  /// 1 + tanh(y) = 2 / (1 + e^(-2y)), so the entry is 32768 / (1 + e^(-z)), z = √(8/π) · (x + 0.044715 · x³).
  private static func makeNormalTanh(_ i: Int) -> Int32 {
    let i = UInt128(i)
    // x + 0.044715 · x³ in units of 2^-24 · 10^-6, exactly; below 2^52.
    let sum = (i << 16) * 1_000_000 + 44715 * i * i * i
    // 60 fractional bits; z is below 2^8 and off by less than 2^-51.
    let z = (rootOfEightOverPi * sum / 1_000_000) >> 24
    // 32768 / (1 + e^(-16)) is above 32767.99, and the entries ascend.
    if z >= 16 << 60 { return 32768 }
    // z = m / 256 + r, and e^(-r) = Σ ± r^k / k!: each of the 8 terms is cut by less than 2 · 2^-60, and the
    // rest is below 2^-64 / 8!.
    let r = z & ((1 << 52) - 1)
    var exponential: UInt128 = 0
    var term: UInt128 = 1 << 60
    for k: UInt128 in 0..<8 {
      exponential = k % 2 == 0 ? exponential + term : exponential - term
      term = ((term * r) >> 60) / (k + 1)
    }
    // Off by less than 2^-48 + 2^-51 + 2^-55, so by 2^-32 in the entry, like the floor.
    let power = (powersOfE[Int(z >> 52)] * exponential) >> 60
    return nearest((1 << (62 + 15 + 32)) / (one + power), fraction: 32, margin: 25)
  }

  // MARK: Normal distribution

  /// floor(√(2/π) · 2^48).
  private static let rootOfTwoOverPi: Int128 = 0xCC42_299E_A1B2

  /// erf(x / √2) = √(2/π) · Σ ± x^(2k+1) / (2^k · k! · (2k + 1)), with 72 fractional bits.
  ///
  /// The term x^(2k+1) / (2^k · k!) is cut twice, by 2^-72 each, in each of 80 steps, and what is cut in one step
  /// grows in later ones by at most e^(x²/2) < 2^18.1 for x < 5. So a term is off by less than 2^-71 · 80 · 2^18.1
  /// < 2^-46, the sum by less than 2^-39, and the entry by less than 2^-25. Terms from the 80th on are
  /// below 5 · 12.5^80 / 80! < 2^-100.
  private static func makeNormal(_ i: Int) -> Int32 {
    // 16384 · (1 + erf(5 / √2)) is above 32767.99, and the entries ascend.
    if i >= 5 * 256 { return 32768 }
    let square = Int128(i * i)
    var term = Int128(i) << (72 - 8)
    var sum: Int128 = 0
    for k: Int128 in 0..<80 {
      sum += (k % 2 == 0 ? term : -term) / (2 * k + 1)
      term = ((term * square) >> 16) / (2 * (k + 1))
    }
    // √(2/π) is cut by less than 2^-48, which is 2^-33 in the entry. 32 fractional bits.
    let value = (1 << (14 + 32)) + ((sum * rootOfTwoOverPi) >> (72 + 48 - 14 - 32))
    return nearest(UInt128(value), fraction: 32, margin: 24)
  }
}
