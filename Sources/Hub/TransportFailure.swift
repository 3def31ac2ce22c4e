import AsyncHTTPClient
import Networking

/// A connection that failed; another attempt may succeed.
struct TransportFailure: Error, CustomStringConvertible {
  let host: String
  let reason: String
  let wasConnected: Bool
  /// No attempt will succeed until somebody changes something.
  let isFinal: Bool

  init(host: String, _ error: any Error, idleSecondsMax: Int) {
    self.host = host
    let problem = ConnectionProblem(error)
    let isIdle = (error as? HTTPClientError) == .readTimeout
    reason = isIdle ? "no byte came for \(idleSecondsMax) s" : problem.reason
    (wasConnected, isFinal) = (problem.wasConnected, problem.isUntrusted)
  }

  var description: String { "\(failure)" }

  /// What is reported when no attempt is left.
  var failure: HubFailure {
    if isFinal { return .untrustedCertificate(host: host) }
    return wasConnected ? .connectionFailed(host: host, reason: reason) : .unreachable(host: host, reason: reason)
  }
}
