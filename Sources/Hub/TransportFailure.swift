import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A connection that failed; another attempt may succeed.
struct TransportFailure: Error, CustomStringConvertible {
  let host: String
  let reason: String
  private(set) var wasConnected = true
  /// No attempt will succeed until somebody changes something.
  private(set) var isFinal = false

  init(host: String, _ error: any Error, idleSecondsMax: Int) {
    self.host = host
    switch error {
    case let error as HTTPClientError where error == .readTimeout: reason = "no byte came for \(idleSecondsMax) s"
    case let error as HTTPClientError where error == .connectTimeout:
      (reason, wasConnected) = ("there was no answer within 10 s", false)
    case let error as HTTPClientError where error == .remoteConnectionClosed: reason = "it broke"
    case is HTTPParserError: reason = "it broke"
    case let error as HTTPClientError: reason = error.shortDescription
    case let error as NIOConnectionError:
      wasConnected = false
      reason = error.connectionErrors.first.map { TransportFailure.text($0.error) } ?? "there is no host of that name"
    case let error as IOError:
      wasConnected = ![ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
      reason = TransportFailure.text(error)
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
      isFinal = error is NIOSSLExtraError || "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
      reason = isFinal ? "its certificate is not trusted" : "TLS failed"
    default: reason = String("\(error)".prefix(200))
    }
  }

  private static func text(_ error: any Error) -> String {
    (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
  }

  var description: String { "\(failure)" }

  /// What is reported when no attempt is left.
  var failure: HubFailure {
    if isFinal { return .untrustedCertificate(host: host) }
    return wasConnected ? .connectionFailed(host: host, reason: reason) : .unreachable(host: host, reason: reason)
  }
}
