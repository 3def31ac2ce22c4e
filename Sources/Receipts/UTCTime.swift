/// Times to the second in UTC, as RFC 3339 writes them: `2026-01-31T23:59:59Z`.
///
/// Source: docs/spec/evidence.md, section 1.
public enum UTCTime {
  private static let secondsPerDay: Int64 = 86_400
  /// From 0000-03-01, where a cycle of 400 years begins, to 1970-01-01.
  private static let daysBefore1970: Int64 = 719_468
  private static let daysPerCycle: Int64 = 146_097

  /// Seconds since 1970.
  ///
  /// - Returns: nil unless `text` is such a time, of a date that exists.
  public static func seconds(_ text: String) -> Int64? {
    let form = Array("0000-00-00T00:00:00Z".utf8)
    let bytes = Array(text.utf8)
    guard bytes.count == form.count else { return nil }
    for (b, f) in zip(bytes, form) where f == 0x30 ? !(0x30...0x39).contains(b) : b != f { return nil }
    func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
    guard (1...12).contains(month), hour < 24, minute < 60, second < 60 else { return nil }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...days[Int(month) - 1]).contains(day) else { return nil }
    // Years that begin in March have their leap day last.
    let y = month > 2 ? year : year - 1
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let cycle = y >= 0 ? y / 400 : -1
    let yearOfCycle = y - cycle * 400
    let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
    let total = cycle * daysPerCycle + dayOfCycle - daysBefore1970
    return total * secondsPerDay + hour * 3600 + minute * 60 + second
  }

  /// The time; outside the years 0 to 9999, which have no such form, the plain number of seconds.
  public static func text(_ seconds: Int64) -> String {
    guard (-62_167_219_200...253_402_300_799).contains(seconds) else { return "\(seconds) s after 1970" }
    var (days, rest) = seconds.quotientAndRemainder(dividingBy: secondsPerDay)
    if rest < 0 { (days, rest) = (days - 1, rest + secondsPerDay) }
    days += daysBefore1970
    let cycle = days >= 0 ? days / daysPerCycle : -1
    let dayOfCycle = days - cycle * daysPerCycle
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
    func digits(_ value: Int64, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    return "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfYear - (153 * shifted + 2) / 5 + 1, 2))"
      + "T\(digits(rest / 3600, 2)):\(digits(rest / 60 % 60, 2)):\(digits(rest % 60, 2))Z"
  }

  /// The same of a cosignature's time, which is never negative and at most 2^63 - 1.
  public static func text(_ seconds: UInt64) -> String { text(Int64(clamping: seconds)) }
}
