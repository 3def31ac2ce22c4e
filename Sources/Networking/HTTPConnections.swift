public import AsyncHTTPClient
import Foundation
public import NIOCore
import Synchronization

/// Clients of one kind: one that goes straight, and one that goes through the proxy where the environment names one.
public final class HTTPConnections: Sendable {
  private let settings: NetworkSettings
  private let configuration: HTTPClient.Configuration
  private let straight: HTTPClient
  /// Made when it is first needed.
  private let proxied = Mutex<HTTPClient?>(nil)

  /// - Parameter configuration: without proxy and certificates, which come from `settings`.
  public init(
    settings: NetworkSettings = .current, _ configuration: HTTPClient.Configuration = .init()
  ) throws(NetworkSettingRejection) {
    var straight = configuration
    try settings.configure(&straight, proxy: nil)
    self.settings = settings
    self.configuration = configuration
    self.straight = HTTPClient(eventLoopGroupProvider: .singleton, configuration: straight)
  }

  public func execute(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
    try await client(for: request.url).execute(request, timeout: timeout)
  }

  public func shutdown() async {
    try? await straight.shutdown()
    let client = proxied.withLock { client in
      defer { client = nil }
      return client
    }
    try? await client?.shutdown()
  }

  private func client(for url: String) throws -> HTTPClient {
    guard let url = URL(string: url), let scheme = url.scheme?.lowercased(), let host = url.host,
      let proxy = try settings.proxy(scheme: scheme, host: host)
    else { return straight }
    return try proxied.withLock { client in
      if let client { return client }
      var configuration = configuration
      try settings.configure(&configuration, proxy: proxy)
      let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
      client = made
      return made
    }
  }
}
