import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Networking
public import Transparency

/// A log that is served over HTTP.
///
/// An attempt that fails, or that the server puts off (429, 5xx), is repeated after a while, a few times.
public struct HTTPSource: LogSource {
  public let place: String
  private let retriesMax: Int
  /// Seconds before the first repetition; doubled for each after it.
  private let pause: Double

  /// One for the whole process, which never ends it.
  private static let client: Result<HTTPConnections, NetworkSettingRejection> = {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .follow(max: 5, allowCycles: false)
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
    // Attempts are counted here.
    configuration.connectionPool.retryConnectionEstablishment = false
    return Result { () throws(NetworkSettingRejection) in try HTTPConnections(configuration) }
  }()

  /// Seconds that one attempt may take.
  private static let attemptSecondsMax: Int64 = 60

  /// - Parameter url: the log's prefix, http or https, with or without a slash at its end.
  public init(_ url: String, retriesMax: Int = 4, pause: Double = 0.5) throws(LogReadError) {
    guard url.utf8.count <= 1024, let parsed = URL(string: url), let scheme = parsed.scheme?.lowercased(),
      ["http", "https"].contains(scheme), parsed.host?.isEmpty == false, parsed.query == nil, parsed.fragment == nil
    else { throw .failed(place: url, reason: "it is not an http or https address such as https://log.example/log") }
    var text = url
    while text.hasSuffix("/") { text.removeLast() }
    place = text
    self.retriesMax = retriesMax
    self.pause = pause
  }

  public func read(_ path: String, bytesMax: Int) async throws -> [UInt8]? {
    var retries = 0
    while true {
      let reason: String
      var retryAfter = 0.0
      do {
        switch try await attempt(path, bytesMax: bytesMax) {
        case .found(let bytes): return bytes
        case .missing: return nil
        case .putOff(let status, let after): (reason, retryAfter) = ("HTTP \(status)", after)
        }
      } catch let error as LogReadError { throw error } catch {
        if Task.isCancelled { throw LogReadError.failed(place: place, reason: "it was cancelled") }
        let problem = ConnectionProblem(error)
        guard !problem.isUntrusted, !(error is NetworkSettingRejection) else {
          let hint = problem.isUntrusted ? "; name your organisation's certificates in SSL_CERT_FILE" : ""
          throw LogReadError.failed(place: place, reason: problem.reason + hint)
        }
        let isLate = (error as? HTTPClientError) == .deadlineExceeded
        reason = isLate ? "there was no whole answer within \(HTTPSource.attemptSecondsMax) s" : problem.reason
      }
      guard retries < retriesMax else { throw LogReadError.failed(place: "\(place)/\(path)", reason: reason) }
      // Half of it is chance, so that many readers do not come back together.
      let seconds = max(pause * Double(1 << retries) * .random(in: 0.5..<1), retryAfter)
      retries += 1
      do { try await Task.sleep(for: .seconds(seconds)) } catch {
        throw LogReadError.failed(place: place, reason: "it was cancelled")
      }
    }
  }

  public func partialWidths(of full: TilePath) throws(LogReadError) -> [Int]? { nil }

  private enum Answer {
    case found([UInt8])
    case missing
    case putOff(status: Int, after: Double)
  }

  private func attempt(_ path: String, bytesMax: Int) async throws -> Answer {
    var request = HTTPClientRequest(url: "\(place)/\(path)")
    request.headers.add(name: "User-Agent", value: "evident")
    // The limit is on what arrives.
    request.headers.add(name: "Accept-Encoding", value: "identity")
    let response = try await HTTPSource.client.get().execute(request, timeout: .seconds(HTTPSource.attemptSecondsMax))
    let status = Int(response.status.code)
    switch status {
    case 200:
      if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }), length > bytesMax {
        throw LogReadError.tooLong(path: path, bytesMax: bytesMax)
      }
      do {
        return .found(Array(try await response.body.collect(upTo: bytesMax).readableBytesView))
      } catch is NIOTooManyBytesError {
        throw LogReadError.tooLong(path: path, bytesMax: bytesMax)
      }
    case 404, 410:
      _ = try? await response.body.collect(upTo: 64 << 10)
      return .missing
    case 408, 429, 500...599:
      _ = try? await response.body.collect(upTo: 64 << 10)
      let after = response.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0
      return .putOff(status: status, after: Double(min(max(after, 0), 60)))
    default:
      throw LogReadError.failed(place: "\(place)/\(path)", reason: "HTTP \(status); check the address")
    }
  }
}
