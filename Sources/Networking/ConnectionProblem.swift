import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why an HTTP request had no answer, in a few words.
public struct ConnectionProblem: Sendable {
  public let reason: String
  public private(set) var wasConnected = true
  /// Another attempt will not succeed until somebody changes something.
  public private(set) var isUntrusted = false

  public init(_ error: any Error) {
    switch error {
    case let error as NetworkSettingRejection: (reason, wasConnected) = (error.description, false)
    case let error as HTTPClientError where error == .connectTimeout:
      (reason, wasConnected) = ("there was no answer in time", false)
    case let error as HTTPClientError where error == .remoteConnectionClosed: reason = "it broke"
    case is HTTPParserError: reason = "it broke"
    case let error as HTTPClientError: reason = error.shortDescription
    case let error as NIOConnectionError:
      wasConnected = false
      reason = error.connectionErrors.first.map { ConnectionProblem.text($0.error) } ?? "there is no host of that name"
    case let error as IOError:
      wasConnected = ![ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
      reason = ConnectionProblem.text(error)
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
      isUntrusted = error is NIOSSLExtraError || "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
      reason = isUntrusted ? "its certificate is not one that this machine trusts" : "TLS failed"
    default: reason = String("\(error)".prefix(200))
    }
  }

  private static func text(_ error: any Error) -> String {
    (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
  }
}
