import Foundation
import Receipts
import Testing

/// Against Foundation's calendar, over all years that the form has.
@Suite struct UTCTimeTests {
  @Test func daysOfAllYears() throws {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    // From the Gregorian reform on, calendars agree.
    for year in stride(from: 1600, through: 9999, by: 1) {
      for (month, day) in [(1, 1), (2, 28), (3, 1), (12, 31), (year % 12 + 1, year % 28 + 1)] {
        let date = try #require(
          calendar.date(from: DateComponents(year: year, month: month, day: day, hour: 23, minute: 5, second: 59)))
        let text = String(format: "%04d-%02d-%02dT23:05:59Z", year, month, day)
        #expect(UTCTime.seconds(text) == Int64(date.timeIntervalSince1970), "\(text)")
        #expect(UTCTime.text(Int64(date.timeIntervalSince1970)) == text)
      }
    }
  }

  @Test func edges() {
    #expect(UTCTime.seconds("1970-01-01T00:00:00Z") == 0 && UTCTime.text(Int64(0)) == "1970-01-01T00:00:00Z")
    #expect(UTCTime.text(Int64(-1)) == "1969-12-31T23:59:59Z")
    for text in ["0000-01-01T00:00:00Z", "0000-02-29T12:00:00Z", "0000-03-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
      #expect(UTCTime.seconds(text).map { UTCTime.text($0) } == text)
    }
    #expect(UTCTime.text(UInt64.max) == "\(Int64.max) s after 1970" && UTCTime.text(Int64.min).hasSuffix("1970"))
    for text in [
      "", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
      "2026-01-01T00:00:00z", "2026-01-01 00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ",
    ] {
      #expect(UTCTime.seconds(text) == nil, "\(text)")
    }
  }
}
