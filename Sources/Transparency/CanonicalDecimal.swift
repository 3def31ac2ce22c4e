/// Numbers in their one decimal spelling: ASCII digits, no sign, no leading zero except `0` itself.
enum CanonicalDecimal {
  /// The largest tree size, index and timestamp: 2^63 - 1, which every implementation can hold.
  static let valueMax = UInt64(Int64.max)

  /// - Returns: nil for any other spelling and for numbers above `max`.
  static func value(_ digits: some Collection<UInt8>, max: UInt64 = valueMax) -> UInt64? {
    guard (1...20).contains(digits.count), let first = digits.first else { return nil }
    if first == UInt8(ascii: "0") { return digits.count == 1 ? 0 : nil }
    var value: UInt64 = 0
    for c in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(c) else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(c - UInt8(ascii: "0")))
      guard !overflow && !carry else { return nil }
      value = sum
    }
    return value <= max ? value : nil
  }
}
