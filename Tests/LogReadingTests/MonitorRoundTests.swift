import LogReading
import Testing
import Transparency
import TransparencyLog

/// In which order alarms are reported and the state moves on.
@Suite struct MonitorRoundTests {
  private struct Stopped: Error {}

  private func monitor(_ folder: SampleFolder, _ storage: MemoryStorage) throws -> LogMonitor<MemoryStorage> {
    try LogMonitor(
      FolderSource(folder: folder.path), policy: SampleFolder.policy, rules: .init(), storage: storage)
  }

  private func junk(_ numbers: Range<Int>) -> [[UInt8]] { numbers.map { Array("no statement \($0)".utf8) } }

  /// The number of the junk that an alarm is about.
  private func number(_ alarm: MonitorAlarm) -> Int? {
    alarm.evidence.first.flatMap { Int(String(decoding: $0.bytes, as: UTF8.self).dropFirst(13)) }
  }

  /// Who is stopped before the alarms are kept finds them again.
  @Test func theStateWaitsForTheAlarms() async throws {
    let (folder, storage) = (try SampleFolder([3]), MemoryStorage())
    var watching = try monitor(folder, storage)
    await #expect(throws: Stopped.self) { try await watching.look { _, _ in throw Stopped() } }
    #expect(watching.state == nil)
    watching = try monitor(folder, storage)
    #expect(watching.state == nil)
    #expect(try await watching.look().alarms.count == 3)
    #expect(try await watching.look().alarms == [])
  }

  /// More alarms than one round has room for: none is passed over, whoever is stopped in between.
  @Test func alarmsThatDoNotFitComeInTheNextRound() async throws {
    let (folder, storage) = (try SampleFolder([]), MemoryStorage())
    let writer = try LogWriter(folder.path)
    try writer.append(junk(0..<2500))
    var numbers: [Int?] = []
    var rounds = 0
    while rounds < 2 {
      // Stopped in the second round each time, after one was kept; the log grows meanwhile.
      var watching = try monitor(folder, storage)
      var isSecond = false
      await #expect(throws: Stopped.self) {
        try await watching.look { round, state in
          if isSecond { throw Stopped() }
          isSecond = true
          #expect(state?.isWhole == false && round.entries == 0 && round.alarms.count == 1000)
          numbers += round.alarms.map(number)
        }
      }
      try writer.append(junk((2500 + 10 * rounds)..<(2510 + 10 * rounds)))
      rounds += 1
    }
    var watching = try monitor(folder, storage)
    let rest = try await watching.look()
    #expect(rest.entries == 520 && rest.failures == [])
    #expect(numbers + rest.alarms.map(number) == Array(0..<2520))
    #expect(try await watching.look().alarms == [])
  }

  /// What was not looked at yet cannot be exchanged: behind one round another one ends before it, behind two none does.
  @Test(arguments: [2500, 2501, 4000], [1, 2]) func aForkBehindARoundIsFound(size: Int, kept: Int) async throws {
    let (folder, storage) = (try SampleFolder([]), MemoryStorage())
    try LogWriter(folder.path).append(junk(0..<2500))
    var watching = try monitor(folder, storage)
    var rounds = 0
    await #expect(throws: Stopped.self) {
      try await watching.look { _, _ in
        if rounds == kept { throw Stopped() }
        rounds += 1
      }
    }
    let other = try SampleFolder([])
    try LogWriter(other.path).append(junk(0..<2400) + junk(5000..<(5000 + size - 2400)))
    watching = try LogMonitor(
      Elsewhere(place: folder.path, inner: FolderSource(folder: other.path)), policy: SampleFolder.policy,
      rules: .init(), storage: storage)
    #expect(watching.state?.isWhole == false)
    let round = try await watching.look()
    #expect(round.alarms.map(\.kind) == [.fork])
    #expect(watching.state?.isWhole == false)
  }

  @Test func aDamagedPartOfAStateIsNone() async throws {
    let (folder, storage) = (try SampleFolder([1500]), KeptPath())
    var watching = try LogMonitor(
      FolderSource(folder: folder.path), policy: SampleFolder.policy, rules: .init(), storage: storage)
    await #expect(throws: Stopped.self) {
      try await watching.look { _, state in if state?.isWhole == true { throw Stopped() } }
    }
    let path = try #require(storage.path)
    let honest = try #require(try storage.read(path))
    try #require(honest.count > 600)
    for at in stride(from: 0, to: 600, by: 7) where honest[at] != 0x0A {
      var damaged = honest
      damaged[at] ^= 1
      try storage.write([StoredFile(path: path, bytes: damaged)])
      #expect(throws: MonitorFailure.self, "byte \(at)") {
        try LogMonitor(
          FolderSource(folder: folder.path), policy: SampleFolder.policy, rules: .init(), storage: storage)
      }
    }
  }
}
