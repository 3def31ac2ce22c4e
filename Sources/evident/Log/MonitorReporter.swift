import AsyncHTTPClient
import Digests
import Foundation
import LogReading
import NIOCore
import NIOHTTP1
import Networking
import Transparency
import TransparencyLog

/// Prints what a monitor sees as JSON lines, keeps evidence, and posts alarms to the webhook. Each alarm once.
///
/// When an alarm is reported, it is on the disk until the webhook has taken it. A log that does wrong again and again
/// takes a bounded place there, and a bounded time where the webhook does not answer.
actor MonitorReporter {
  /// Files of evidence of each kind of alarm, those of earlier runs included; later alarms are printed without. Of each
  /// kind, so that many bad entries do not leave the one fork without its evidence.
  private static let evidenceMax = 200
  /// Alarms that are told apart; beyond them all are forgotten, and may come twice.
  private static let raisedMax = 100_000
  /// Alarms that the webhook did not take before the others wait for the next look.
  private static let unheardMax = 3
  /// Of the evidence in what is posted, as JSON: two of the longest checkpoints, or an entry and its proof, take less, so
  /// that a log cannot make its evidence too long.
  private static let contentBytesMax = 1 << 20
  private let storage: POSIXStorage
  private var outbox: MonitorOutbox
  private var hasSaidFull: Set<String> = []
  private let folder: String
  private let webhook: String?
  private let connections: HTTPConnections?
  private var raised: Set<String> = []
  private var evidenceFiles: [String: Int] = [:]
  private var hasRaised = false
  private var unheard = 0
  private var hasFailed = false

  /// - Parameter folder: of the storage.
  init(storage: POSIXStorage, folder: String, webhook: String?) throws {
    self.storage = storage
    self.folder = folder
    outbox = MonitorOutbox(storage)
    self.webhook = webhook
    var configuration = HTTPClient.Configuration()
    configuration.timeout = .init(connect: .seconds(5), read: .seconds(15))
    // Attempts are counted here.
    configuration.connectionPool.retryConnectionEstablishment = false
    connections = try webhook.map { _ in try HTTPConnections(configuration) }
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".json") {
      evidenceFiles[String(name.prefix { $0 != "-" }), default: 0] += 1
    }
  }

  func shutdown() async { await connections?.shutdown() }

  /// When it returns, the alarms are durable; ``deliver()`` posts them.
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
    if raised.count > MonitorReporter.raisedMax { raised = [] }
  }

  func failed(_ reason: String) {
    hasFailed = true
    say(["event": "unseen", "reason": .string(reason)])
  }

  /// Alarms that wait for the webhook are something that is wrong, and not with the log.
  func exitStatus(once: Bool) -> Int32 {
    hasRaised ? 1 : once && (hasFailed || webhook != nil && !outbox.items.isEmpty) ? 2 : 0
  }

  /// The webhook is asked anew.
  func beginLook() { unheard = 0 }

  /// Posts what waits for the webhook, that of earlier runs included, until it takes no more.
  func deliver() async {
    guard let webhook, let connections else { return }
    for item in outbox.items {
      guard unheard < MonitorReporter.unheardMax, !Task.isCancelled else { return }
      let body: [UInt8]?
      do { body = try outbox.body(item) } catch {
        Terminal.note("error: an alarm cannot be posted: \(error)")
        unheard += 1
        continue
      }
      guard let body else {
        outbox.remove(item)
        continue
      }
      if await post(body, to: webhook, connections) { outbox.remove(item) } else { outbox.postpone(item) }
    }
  }

  private func raise(_ alarm: MonitorAlarm) async throws {
    hasRaised = true
    var line = alarm.json.object ?? JSONObject()
    line["time"] = .string(Date().formatted(.iso8601))
    if let path = keep(alarm) { line["evidence"] = .string(path) }
    say(.object(line))
    guard let webhook, let connections else { return }
    line["evidenceContent"] = .object(content(alarm))
    let (kind, id) = (alarm.kind.rawValue, String(alarm.id.prefix(16)))
    do {
      if try outbox.add(kind, id, .object(line)) { return }
      // Where the webhook takes alarms, there is room then.
      await deliver()
      if try outbox.add(kind, id, .object(line)) { return }
      try outbox.addMore(
        kind,
        [
          "alarm": .string(kind), "log": .string(alarm.place), "time": line["time"] ?? .null,
          "message": "there are more alarms of this kind than are kept for the webhook; the monitor's output has them",
        ])
      guard hasSaidFull.insert(kind).inserted else { return }
      Terminal.note(
        "error: so many alarms of the kind \(kind) wait for the webhook \(webhook) that no more are kept for it "
          + "(\(MonitorOutbox.itemsMax), or \(MonitorOutbox.bytesMax >> 20) MiB); it will be told that there were more")
    } catch {
      // The state does not move on, so it is raised again; but it may be long until there is room.
      _ = await post(Array(JSON.object(line).text().utf8), to: webhook, connections)
      throw error
    }
  }

  /// The evidence itself, for whoever cannot read this disk; without what makes it too long.
  private func content(_ alarm: MonitorAlarm) -> JSONObject {
    var (object, left) = (JSONObject(), MonitorReporter.contentBytesMax)
    for item in alarm.evidence {
      let json = item.json
      let count = json.text().utf8.count
      if count <= left {
        object[item.name] = json
        left -= count
      } else {
        object[item.name] = ["omittedBytes": .integer(item.bytes.count)]
      }
    }
    return object
  }

  /// - Returns: where the evidence is; nil if it cannot be kept, which must not silence the alarm.
  private func keep(_ alarm: MonitorAlarm) -> String? {
    let (kind, name) = (alarm.kind.rawValue, "\(alarm.kind.rawValue)-\(alarm.id.prefix(16)).json")
    let path = "\(folder)/\(name)"
    // The same alarm in an earlier run.
    if FileManager.default.fileExists(atPath: path) { return path }
    guard evidenceFiles[kind, default: 0] < MonitorReporter.evidenceMax else {
      Terminal.note("error: there are \(MonitorReporter.evidenceMax) files of \(kind) in \(folder); move them away")
      return nil
    }
    do throws(StorageFailure) {
      try storage.write([StoredFile(path: name, bytes: Array((alarm.evidenceJSON.text() + "\n").utf8))])
      evidenceFiles[kind, default: 0] += 1
      return path
    } catch {
      Terminal.note("error: the evidence \(name) cannot be kept: \(error)")
      return nil
    }
  }

  private func say(_ line: JSON) { Terminal.write(line.text() + "\n") }

  /// - Returns: whether the webhook has taken it.
  private func post(_ body: [UInt8], to url: String, _ connections: HTTPConnections) async -> Bool {
    var reason = ""
    for attempt in 0..<(unheard == 0 ? 4 : 1) {
      do {
        if attempt > 0 { try await Task.sleep(for: .seconds(1 << (attempt - 1))) }
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await connections.execute(request, timeout: .seconds(15))
        _ = try? await response.body.collect(upTo: 64 << 10)
        if (200..<300).contains(Int(response.status.code)) {
          unheard = 0
          return true
        }
        reason = "it answers \(response.status.code)"
      } catch is CancellationError {
        reason += "; stopped before it was tried again"
        break
      } catch {
        let problem = ConnectionProblem(error)
        reason = problem.reason
        if problem.isUntrusted { break }
      }
    }
    unheard += 1
    Terminal.note(
      "error: the webhook \(url) did not take the alarm: \(Terminal.printable(reason, bytesMax: 300)); "
        + "it is kept, and posted again at the next look")
    return false
  }
}
