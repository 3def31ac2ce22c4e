import AsyncHTTPClient
import Digests
import Foundation
import LogReading
import NIOCore
import NIOHTTP1
import Networking
import Transparency
import TransparencyLog

/// Prints what a monitor sees as JSON lines, keeps evidence, and calls the webhook. Each alarm once.
///
/// A log that does wrong again and again takes a bounded place on the disk, and a bounded time where the webhook does
/// not answer.
actor MonitorReporter {
  /// Files of evidence of each kind of alarm, those of earlier runs included; later alarms are printed without. Of each
  /// kind, so that many bad entries do not leave the one fork without its evidence.
  private static let evidenceMax = 200
  /// Alarms that are told apart; beyond them all are forgotten, and may come twice.
  private static let raisedMax = 100_000
  /// Alarms that the webhook did not take before the others of the same look are not posted.
  private static let unheardMax = 3
  private let storage: POSIXStorage
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
    unheard = 0
    for alarm in round.alarms where raised.insert(alarm.id).inserted { await raise(alarm) }
    if raised.count > MonitorReporter.raisedMax { raised = [] }
  }

  func failed(_ reason: String) {
    hasFailed = true
    say(["event": "unseen", "reason": .string(reason)])
  }

  func exitStatus(once: Bool) -> Int32 { hasRaised ? 1 : once && hasFailed ? 2 : 0 }

  private func raise(_ alarm: MonitorAlarm) async {
    hasRaised = true
    var line = alarm.json.object ?? JSONObject()
    line["time"] = .string(Date().formatted(.iso8601))
    if let path = keep(alarm) { line["evidence"] = .string(path) }
    say(.object(line))
    if let webhook, let connections { await post(JSON.object(line).text(), to: webhook, connections) }
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

  private func post(_ text: String, to url: String, _ connections: HTTPConnections) async {
    guard unheard < MonitorReporter.unheardMax else { return }
    var reason = ""
    for attempt in 0..<(unheard == 0 ? 4 : 1) {
      do {
        if attempt > 0 { try await Task.sleep(for: .seconds(1 << (attempt - 1))) }
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: text))
        let response = try await connections.execute(request, timeout: .seconds(15))
        _ = try? await response.body.collect(upTo: 64 << 10)
        if (200..<300).contains(Int(response.status.code)) {
          unheard = 0
          return
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
    Terminal.note("error: the webhook \(url) did not take the alarm: \(Terminal.printable(reason, bytesMax: 300))")
  }
}
