import Foundation
import Hub
import NIOHTTP1
import Testing

@Suite struct DownloadTests {
  @Test func backoffGrowsAndEnds() {
    var backoff = Backoff(retriesMax: 8)
    let waits = (0..<9).map { _ in backoff.next(random: 1) }
    #expect(waits == [0.5, 1, 2, 4, 8, 16, 16, 16, nil])
    backoff.succeed()
    #expect(backoff.next(random: 0) == 0.25)
    #expect(backoff.next(retryAfter: 30, random: 0) == 30)
    #expect(backoff.next(retryAfter: Backoff.retryAfterMax + 1) == nil)
    var none = Backoff(retriesMax: 0)
    #expect(none.next() == nil)
  }

  @Test func secondsToWait() {
    #expect(HubClient.secondsToWait(["Retry-After": "7"]) == 7)
    #expect(HubClient.secondsToWait(["Retry-After": "-7"]) == nil)
    #expect(HubClient.secondsToWait(["Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"]) == nil)
    #expect(HubClient.secondsToWait(["RateLimit": "\"api\";r=0;t=55"]) == 55)
    #expect(HubClient.secondsToWait([:]) == nil)
  }

  @Test func contentRanges() {
    let range = ContentRange("bytes 5-9/20")
    #expect(range?.lower == 5 && range?.upper == 10 && range?.total == 20)
    #expect(ContentRange("bytes 0-0/*")?.upper == 1)
    for wrong in [
      "", "bytes", "bytes 9-5/20", "bytes 0-20/20", "items 0-1/2", "bytes 0-1", "bytes -1-1/5",
      "bytes 0-99999999999999999999/*",
    ] {
      #expect(ContentRange(wrong) == nil, "\(wrong)")
    }
    #expect(ContentRange(nil) == nil)
  }

  @Test func partSizes() {
    let mebibyte = 1 << 20
    #expect(Downloader.partBytes(bytesTotal: 1, connections: 4) == 8 * mebibyte)
    #expect(Downloader.partBytes(bytesTotal: 512 * mebibyte, connections: 4) == 32 * mebibyte)
    #expect(Downloader.partBytes(bytesTotal: 1 << 40, connections: 32) == 64 * mebibyte)
    #expect(PartQueue.split([0..<5, 7..<8], 2) == [7..<8, 4..<5, 2..<4, 0..<2])
  }

  @Test func oneConnectionTriesBeforeOthersFollow() async {
    let queue = PartQueue(missing: [[0..<10], [0..<4], []], partBytes: 4)
    let probe = await queue.next()
    #expect(probe == PartQueue.Part(file: 0, range: 0..<4, isProbe: true))
    let other = await queue.next()
    #expect(other == PartQueue.Part(file: 1, range: 0..<4, isProbe: true))
    async let waiting = queue.next()
    await queue.sendsRanges(0)
    #expect(await waiting == PartQueue.Part(file: 0, range: 4..<8, isProbe: false))
    #expect(await queue.isLast(other!))
    await queue.finished(other!)
    #expect(await !queue.isLast(probe!))
    #expect(await !queue.withdraw(probe!))
    await queue.finished(probe!)
    let last = await queue.next()
    #expect(last?.range == 8..<10)
    async let end = queue.next()
    await queue.finished(last!)
    await queue.finished(PartQueue.Part(file: 0, range: 4..<8, isProbe: false))
    #expect(await end == nil)
  }

  @Test func wholeFilesAndRestarts() async {
    let queue = PartQueue(missing: [[0..<10]], partBytes: 4)
    let probe = await queue.next()!
    await queue.sendsWhole(0)
    #expect(await queue.isLast(probe))
    #expect(await queue.withdraw(probe))
    await queue.restart(probe, missing: [0..<3])
    let again = await queue.next()
    #expect(again == PartQueue.Part(file: 0, range: 0..<3, isProbe: true))
    async let waiting = queue.next()
    await queue.close()
    #expect(await waiting == nil)
    #expect(await queue.next() == nil)
  }

  @Test func identities() throws {
    let path = NSTemporaryDirectory() + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("hello\n".utf8).write(to: URL(fileURLWithPath: path))
    // printf 'hello\n' | git hash-object --stdin; printf 'hello\n' | sha256sum
    let git = ContentIdentity.gitBlob("ce013625030ba8dba906f756967f9e9ca394464a")
    let sha = ContentIdentity.sha256("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
    #expect(try git.found(at: path) == git && sha.found(at: path) == sha)
    #expect(ContentIdentity(hex: git.hex) == git && ContentIdentity(hex: sha.hex) == sha)
    #expect(ContentIdentity(hex: "abcd") == nil && ContentIdentity(hex: git.hex.uppercased()) == nil)
    #expect(throws: CancellationError.self) { try sha.found(at: path, isCancelled: { true }) }
  }
}
