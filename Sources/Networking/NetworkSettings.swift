public import AsyncHTTPClient
import Foundation
import NIOSSL

/// How this machine reaches others, as its environment says: the same for hubs, logs, witnesses and webhooks, and as
/// curl and Python read it.
public struct NetworkSettings: Sendable {
  /// SSL_CERT_FILE: a PEM file of certificate authorities to trust instead of the system's.
  public let certificateFile: String?
  /// The variable that names a proxy, and what it says.
  private let proxyText: (name: String, text: String)?
  /// Domains that are reached straight.
  private let exceptions: [String]

  public init(environment: [String: String]) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    certificateFile = value("SSL_CERT_FILE")
    proxyText =
      ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].lazy.compactMap { name in
        value(name).map { (name, $0) }
      }.first
    exceptions = (environment["NO_PROXY"] ?? environment["no_proxy"] ?? "")
      .split { $0 == "," || $0 == " " }.map { ($0.hasPrefix(".") ? String($0.dropFirst()) : String($0)).lowercased() }
  }

  /// Those of this process.
  public static var current: NetworkSettings { NetworkSettings(environment: ProcessInfo.processInfo.environment) }

  /// A proxy that leads to a place by HTTP CONNECT.
  public struct Proxy: Equatable, Sendable {
    public let host: String
    public let port: Int
    public let user: String?
    public let password: String?
  }

  /// - Parameters:
  ///   - scheme: of the place, in lower case.
  ///   - host: of the place.
  /// - Returns: nil where none is named, or the place is not to be reached through it. Plain http is for places nearby
  ///   and never goes through a proxy.
  public func proxy(scheme: String, host: String) throws(NetworkSettingRejection) -> Proxy? {
    guard scheme == "https", let (name, text) = proxyText else { return nil }
    let place = host.lowercased()
    if exceptions.contains(where: { $0 == "*" || place == $0 || place.hasSuffix("." + $0) }) { return nil }
    guard let url = URL(string: text.contains("://") ? text : "http://" + text), url.scheme == "http",
      let host = url.host, !host.isEmpty
    else {
      // It may hold a password.
      throw NetworkSettingRejection(name: name, value: "…", wanted: "a URL such as http://proxy.example:3128")
    }
    return Proxy(host: host, port: url.port ?? 80, user: url.user, password: url.password)
  }

  /// Sets what of a client's configuration is the machine's matter.
  public func configure(
    _ configuration: inout HTTPClient.Configuration, proxy: Proxy?
  ) throws(NetworkSettingRejection) {
    if let certificateFile {
      guard (try? NIOSSLCertificate.fromPEMFile(certificateFile))?.isEmpty == false else {
        throw NetworkSettingRejection(
          name: "SSL_CERT_FILE", value: certificateFile, wanted: "a PEM file of certificates")
      }
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.trustRoots = .file(certificateFile)
      configuration.tlsConfiguration = tls
    }
    configuration.proxy = proxy.map { proxy in
      .server(
        host: proxy.host, port: proxy.port,
        authorization: proxy.user.map { .basic(username: $0, password: proxy.password ?? "") })
    }
  }
}

/// A variable of the environment that cannot be used.
public struct NetworkSettingRejection: Error, Equatable, Sendable, CustomStringConvertible {
  public let name: String
  public let value: String
  public let wanted: String

  public var description: String { "\(name) is \"\(value)\"; it must be \(wanted)" }
}
