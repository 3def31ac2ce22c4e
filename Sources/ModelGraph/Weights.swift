/// A linear weight in whichever format the model has it.
public enum LinearWeight: Sendable {
  case eight(Linear8)
  case four(Linear4)
  case sixteen(Linear16)

  public var rows: Int {
    switch self {
    case .eight(let w): w.rows
    case .four(let w): w.rows
    case .sixteen(let w): w.rows
    }
  }

  public var columns: Int {
    switch self {
    case .eight(let w): w.columns
    case .four(let w): w.columns
    case .sixteen(let w): w.columns
    }
  }

  public var exponent: Int {
    switch self {
    case .eight(let w): w.exponent
    case .four(let w): w.exponent
    case .sixteen(let w): w.exponent
    }
  }

  /// w of one output, as section 3 says; each below 2^31. Shape: columns.
  package func integers(row: Int) -> [Int] {
    switch self {
    case .eight(let w): w.values[(row * w.columns)..<((row + 1) * w.columns)].map { Int($0) }
    case .four(let w): (0..<w.columns).map { w.integer(row, $0) }
    case .sixteen(let w): w.values[(row * w.columns)..<((row + 1) * w.columns)].map { Int($0) }
    }
  }

  /// M of one output.
  package func multiplier(row: Int) -> Int {
    switch self {
    case .eight(let w): Int(w.multipliers[row])
    case .four(let w): Int(w.multipliers[row])
    case .sixteen(let w): Int(w.multipliers[row])
    }
  }

  /// What a product adds to the exponent of its input: the shifts less f.
  public var exponentOfProduct: Int {
    switch self {
    case .eight(let w): w.shift - w.exponent
    case .four(let w): w.shifts.s1 + w.shifts.s2 - w.exponent
    case .sixteen(let w): w.shifts.s1 + w.shifts.s2 - w.exponent
    }
  }
}

/// w[rows][columns] int8, row-major, with a multiplier per row: real value w · M · 2^-exponent.
public struct Linear8: @unchecked Sendable {
  // Sendable because the memory behind the buffers is never written; `owner` keeps it.
  public let rows: Int
  public let columns: Int
  public let exponent: Int
  /// Shape: rows × columns.
  public let values: UnsafeBufferPointer<Int8>
  /// Shape: rows.
  public let multipliers: UnsafeBufferPointer<UInt32>
  let owner: ModelBytes

  /// s of docs/spec/arithmetic.md, section 4.3: the smallest shift that keeps every output below 2^30.
  public var shift: Int {
    Linear8.smallestShift(32767 * 128 * columns * Int(multipliers.max() ?? 0), limit: (1 << 30) - 1)
  }

  /// The smallest s ≥ 0 with bound ≤ limit · 2^s.
  static func smallestShift(_ bound: Int, limit: Int) -> Int {
    var s = 0
    while bound > limit << s { s += 1 }
    return s
  }
}

/// s1 and s2 of docs/spec/arithmetic.md, section 4.3, for weights whose products are too wide for one shift.
public struct TwoShifts: Sendable, Equatable {
  public let s1: Int
  public let s2: Int

  /// The smallest s1 with 32767 · Wmax · in ≤ 2^38 · 2^s1, and the smallest s2 that then keeps every output
  /// below 2^30.
  ///
  /// - Parameter largestWeight: Wmax, at most 31 · 2047 · 2^15.
  package init(largestWeight: Int, columns: Int, largestMultiplier: Int) {
    // in < 2^16, so y < 2^62.
    let y = 32767 * largestWeight * columns
    s1 = Linear8.smallestShift(y, limit: 1 << 38)
    let z = Rounding.shiftedRight(y, by: s1)
    s2 = Linear8.smallestShift(z * largestMultiplier, limit: (1 << 30) - 1)
  }
}

/// u[rows][columns] of 4 bits in groups of 32 inputs, each with a multiplier and perhaps a minimum, and a
/// multiplier per row: real value ((u - 8) · G or u · G - B) · M · 2^-exponent.
///
/// Source: docs/spec/arithmetic.md, section 3.
public struct Linear4: @unchecked Sendable {
  // Sendable because the memory behind the buffers is never written; `owner` keeps it.
  /// Inputs that share a group multiplier.
  public static let groupSize = 32

  public let rows: Int
  public let columns: Int
  public let exponent: Int
  /// Two to a byte, the lower half first. Shape: rows × columns / 2.
  public let values: UnsafeBufferPointer<UInt8>
  /// g: as stored, V(g) is ``value(_:)``. Shape: rows × columns / 32.
  public let groupMultipliers: UnsafeBufferPointer<UInt16>
  /// b: as stored, B is 16 · V(b); nil for linear4. Shape: rows × columns / 32.
  public let groupMinimums: UnsafeBufferPointer<UInt16>?
  /// Shape: rows.
  public let multipliers: UnsafeBufferPointer<UInt32>
  /// s1 and s2 of section 4.3.
  public let shifts: TwoShifts
  let owner: ModelBytes

  /// V(g) = (-1)^(g >> 15) · (g & 2047) · 2^((g >> 11) & 15).
  @inlinable
  public static func value(_ stored: UInt16) -> Int {
    let magnitude = Int(stored & 2047) << Int((stored >> 11) & 15)
    return stored >> 15 == 1 ? -magnitude : magnitude
  }

  /// w_ji: (u - 8) · G, or u · G - B.
  func integer(_ row: Int, _ column: Int) -> Int {
    let at = row * columns + column
    let u = Int(values[at / 2] >> (at % 2 == 0 ? 0 : 4) & 15)
    let g = Linear4.value(groupMultipliers[at / Linear4.groupSize])
    guard let groupMinimums else { return (u - 8) * g }
    return u * g - 16 * Linear4.value(groupMinimums[at / Linear4.groupSize])
  }

  /// Wmax: the largest magnitude of an integer weight, over all groups.
  static func largestWeight(
    groupMultipliers: UnsafeBufferPointer<UInt16>, groupMinimums: UnsafeBufferPointer<UInt16>?
  ) -> Int {
    var largest = 0
    for i in groupMultipliers.indices {
      let g = value(groupMultipliers[i])
      if let groupMinimums {
        let b = 16 * value(groupMinimums[i])
        largest = max(largest, abs(b), abs(15 * g - b))
      } else {
        largest = max(largest, 8 * abs(g))
      }
    }
    return largest
  }
}

/// w[rows][columns] int16, row-major, with a multiplier per row: real value w · M · 2^-exponent.
public struct Linear16: @unchecked Sendable {
  // Sendable because the memory behind the buffers is never written; `owner` keeps it.
  /// Wmax of section 3: that of every int16, whatever the weight holds.
  static let largestWeight = 32768

  public let rows: Int
  public let columns: Int
  public let exponent: Int
  /// Shape: rows × columns.
  public let values: UnsafeBufferPointer<Int16>
  /// Shape: rows.
  public let multipliers: UnsafeBufferPointer<UInt32>
  /// s1 and s2 of section 4.3.
  public let shifts: TwoShifts
  let owner: ModelBytes
}

/// w[rows][columns] int16 with a multiplier per row.
public struct Table16: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  public let exponent: Int
  public let values: UnsafeBufferPointer<Int16>
  public let multipliers: UnsafeBufferPointer<UInt32>
  let owner: ModelBytes
}

/// g[n] int32: γ · √n in units of 2^-exponent.
public struct Gain: @unchecked Sendable {
  public let exponent: Int
  public let values: UnsafeBufferPointer<Int32>
  let owner: ModelBytes
}

/// b[n] int32 in units of 2^-exponent.
public struct Bias: @unchecked Sendable {
  public let exponent: Int
  public let values: UnsafeBufferPointer<Int32>
  let owner: ModelBytes
}
