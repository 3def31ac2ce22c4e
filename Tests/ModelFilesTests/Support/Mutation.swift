import Digests

/// Ways in which files get damaged, or are made to do damage.
enum Mutation {
  static let absurdNumbers = [
    "-1", "0", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
    "4294967296", "4611686018427387904", "1e308", "1e-9223372036854775808", "0.1", "-0", "99999999999999999999999999",
  ]

  static func random(of bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
    var mutant = bytes
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      guard !mutant.isEmpty else { break }
      let at = Int.random(in: 0..<mutant.count, using: &generator)
      // Most of a weights file is data; half of the mutations go where structure is.
      let early = Int.random(in: 0..<min(mutant.count, 4096), using: &generator)
      switch Int.random(in: 0..<10, using: &generator) {
      case 0, 1: mutant[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: mutant[early] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 3: mutant[early] = UInt8.random(in: 0...255, using: &generator)
      case 4: mutant.removeLast(mutant.count - at)
      case 5: mutant.remove(at: early)
      case 6: mutant.insert(UInt8.random(in: 0...255, using: &generator), at: early)
      case 7:
        let part = mutant[early..<min(early + Int.random(in: 1...64, using: &generator), mutant.count)]
        mutant.insert(contentsOf: Array(part), at: at)
      case 8:
        // An absurd little-endian integer somewhere.
        let value: UInt64 = [.max, 1 << 63, 1 << 62, 1 << 32, 0, 100_000_000].randomElement(using: &generator)!
        for (i, b) in value.littleEndianBytes.enumerated() where early / 8 * 8 + i < mutant.count {
          mutant[early / 8 * 8 + i] = b
        }
      default: mutant = number(in: mutant, near: early, using: &generator)
      }
    }
    return mutant
  }

  /// Replaces the next decimal number by an absurd one.
  private static func number(in bytes: [UInt8], near start: Int, using generator: inout SeededGenerator) -> [UInt8] {
    func isDigit(_ b: UInt8) -> Bool { (0x30...0x39).contains(b) }
    guard let first = bytes[start...].firstIndex(where: isDigit) else { return bytes }
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
    return Array(bytes[..<first]) + Array(absurdNumbers.randomElement(using: &generator)!.utf8) + Array(bytes[end...])
  }

  /// Replaces, removes or doubles one random value of a JSON document.
  static func value(of json: JSON, using generator: inout SeededGenerator) -> JSON {
    if Int.random(in: 0..<6, using: &generator) > 0 {
      if var object = json.object, object.count > 0 {
        let key = object.keys.randomElement(using: &generator)!
        object[key] =
          Int.random(in: 0..<12, using: &generator) == 0 ? nil : value(of: object[key]!, using: &generator)
        return .object(object)
      }
      if var array = json.array, !array.isEmpty {
        let i = Int.random(in: 0..<array.count, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: array.remove(at: i)
        case 1: array.append(array[i])
        case 2: array.swapAt(i, 0)
        default: array[i] = value(of: array[i], using: &generator)
        }
        return .array(array)
      }
    }
    let small = json.integer.map { $0 % (1 << 40) } ?? 0
    return [
      .integer(-1), .integer(0), .integer((1 << 53) - 1), .integer(1 - (1 << 53)), .integer(1 << 31), .integer(1 << 20),
      .integer(small + 1), .integer(small - 1), .integer(small &* 2), .integer(small + 64), .null, .bool(true), "x", [],
      [:],
      [1, 2], .string(String(repeating: "0", count: 16)),
    ].randomElement(using: &generator)!
  }
}
