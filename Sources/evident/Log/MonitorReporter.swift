import AsyncHTTPClient
import Digests
import Foundation
import LogReading
import NIOCore
import NIOHTTP1
import Server
import Transparency
import TransparencyLog

/// Prints what a monitor sees as JSON lines, keeps evidence, and calls the webhook. Each alarm once.
actor MonitorReporter {
  private let storage: POSIXStorage
  private let folder: String
  private let webhook: String?
  private var raised: Set<String> = []
  private var hasFailed = false

  /// - Parameter folder: of the storage.
  init(storage: POSIXStorage, folder: String, webhook: String?) {
    self.storage = storage
    self.folder = folder
    self.webhook = webhook
  }

  func report<Storage>(_ round: LogMonitor<Storage>.Round, _ state: MonitorState? = nil, at place: String = "")
    async throws
  {
    for reason in round.failures { failed(reason) }
    for note in round.notes { say(["event": "behind", "reason": .string(note)]) }
    if round.entries > 0, let checkpoint = state?.signed.checkpoint {
      say([
        "event": "verified", "log": .string(place), "origin": .string(checkpoint.origin.string),
        "size": .integer(Int(checkpoint.size)), "root": .string(checkpoint.root.base64),
        "newEntries": .integer(Int(round.entries)),
      ])
    }
    for alarm in round.alarms where raised.insert(alarm.id).inserted { try await raise(alarm) }
  }

  func failed(_ reason: String) {
    hasFailed = true
    say(["event": "unseen", "reason": .string(reason)])
  }

  func exitStatus(once: Bool) -> Int32 { !raised.isEmpty ? 1 : once && hasFailed ? 2 : 0 }

  private func raise(_ alarm: MonitorAlarm) async throws {
    let name = "\(alarm.kind.rawValue)-\(alarm.id.prefix(16)).json"
    var line = alarm.json.object ?? JSONObject()
    line["time"] = .string(Date().formatted(.iso8601))
    // A full disk must not silence it.
    do throws(StorageFailure) {
      try storage.write([StoredFile(path: name, bytes: Array((alarm.evidenceJSON.text() + "\n").utf8))])
      line["evidence"] = .string("\(folder)/\(name)")
    } catch { Terminal.note("error: the evidence \(name) cannot be kept: \(error)") }
    say(.object(line))
    if let webhook { await post(JSON.object(line).text(), to: webhook) }
  }

  private func say(_ line: JSON) { Terminal.write(line.text() + "\n") }

  private func post(_ text: String, to url: String) async {
    var reason = ""
    for attempt in 0..<4 {
      do {
        if attempt > 0 { try await Task.sleep(for: .seconds(1 << (attempt - 1))) }
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: text))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(15))
        _ = try? await response.body.collect(upTo: 64 << 10)
        if (200..<300).contains(Int(response.status.code)) { return }
        reason = "it answers \(response.status.code)"
      } catch is CancellationError {
        reason += "; stopped before it was tried again"
        break
      } catch { reason = LogTransportFailure(url: url, error).reason }
    }
    Terminal.note("error: the webhook \(url) did not take the alarm: \(Terminal.printable(reason, bytesMax: 300))")
  }
}
