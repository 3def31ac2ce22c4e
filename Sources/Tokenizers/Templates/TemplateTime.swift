/// The date and time that a template may print. The caller decides what it is: nothing here has a clock.
public struct TemplateTime: Sendable, Equatable {
  public let year: Int
  public let month: Int
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int

  /// Nil for a date or a time that does not exist (years 1 to 9999, proleptic Gregorian calendar).
  public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
    guard (1...9999).contains(year), (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute),
      (0...59).contains(second), day >= 1, day <= Self.days(year, month)
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// Reads `2026-11-20T12:00:00`.
  public init?(_ text: String) {
    let b = Array(text.utf8)
    guard b.count == 19, b[4] == 0x2D, b[7] == 0x2D, b[10] == 0x54, b[13] == 0x3A, b[16] == 0x3A else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for c in b[range] {
        guard c >= 0x30, c <= 0x39 else { return nil }
        value = value * 10 + Int(c - 0x30)
      }
      return value
    }
    guard let y = number(0..<4), let mo = number(5..<7), let d = number(8..<10), let h = number(11..<13),
      let mi = number(14..<16), let s = number(17..<19)
    else { return nil }
    self.init(year: y, month: mo, day: d, hour: h, minute: mi, second: s)
  }

  private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  private static func days(_ year: Int, _ month: Int) -> Int {
    [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  private var dayOfYear: Int { (1..<month).reduce(day) { $0 + Self.days(year, $1) } }

  /// 0 is Monday.
  private var weekday: Int {
    let y = year - 1
    return (y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 1) % 7
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  private static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

  /// As C's `strftime` in the C locale; nil for a directive that is not implemented.
  func formatted(_ format: [UInt8]) -> [UInt8]? {
    var out: [UInt8] = []
    var i = 0
    while i < format.count {
      guard format[i] == UInt8(ascii: "%") else {
        out.append(format[i])
        i += 1
        continue
      }
      i += 1
      let isUnpadded = i < format.count && format[i] == UInt8(ascii: "-")
      if isUnpadded { i += 1 }
      guard i < format.count, let text = directive(format[i], isUnpadded) else { return nil }
      out.append(contentsOf: text.utf8)
      i += 1
    }
    return out
  }

  private func directive(_ c: UInt8, _ isUnpadded: Bool) -> String? {
    func padded(_ value: Int, _ width: Int, _ fill: String = "0") -> String {
      let digits = String(value)
      return isUnpadded ? digits : String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
    }
    switch Unicode.Scalar(c) {
    case "Y": return String(year)
    case "y": return padded(year % 100, 2)
    case "m": return padded(month, 2)
    case "d": return padded(day, 2)
    case "e": return padded(day, 2, " ")
    case "B": return Self.months[month - 1]
    case "b", "h": return String(Self.months[month - 1].prefix(3))
    case "A": return Self.weekdays[weekday]
    case "a": return String(Self.weekdays[weekday].prefix(3))
    case "H": return padded(hour, 2)
    case "I": return padded((hour + 11) % 12 + 1, 2)
    case "M": return padded(minute, 2)
    case "S": return padded(second, 2)
    case "p": return hour < 12 ? "AM" : "PM"
    case "j": return padded(dayOfYear, 3)
    case "u": return String(weekday + 1)
    case "w": return String((weekday + 1) % 7)
    case "F": return "\(year)-\(padded(month, 2))-\(padded(day, 2))"
    case "T": return "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    case "D": return "\(padded(month, 2))/\(padded(day, 2))/\(padded(year % 100, 2))"
    case "R": return "\(padded(hour, 2)):\(padded(minute, 2))"
    case "n": return "\n"
    case "t": return "\t"
    case "%": return "%"
    default: return nil
    }
  }
}
