import AsyncHTTPClient
import NIOCore
public import Networking
public import Transparency
public import TransparencyLog

/// Ways to all witnesses of a policy that have URLs.
public struct WitnessLinks: Sendable {
  public let links: [WitnessLink]

  public init(policy: TrustPolicy, client: HTTPConnections) {
    links = policy.witnesses.compactMap { witness in
      guard let url = witness.url?.string, url.hasPrefix("http://") || url.hasPrefix("https://") else { return nil }
      return WitnessLink(name: witness.name, key: witness.key, client: HTTPWitnessClient(client: client, url: url))
    }
  }

  /// For logs and witnesses: small answers, and soon.
  ///
  /// - Throws: if the environment's settings of the network cannot be used.
  public static func makeClient(connections: Int = 8) throws(NetworkSettingRejection) -> HTTPConnections {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(5), read: .seconds(HTTPWitnessClient.secondsMax))
    configuration.decompression = .disabled
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    configuration.httpVersion = .http1Only
    // Trying again is up to whoever asks.
    configuration.connectionPool.retryConnectionEstablishment = false
    return try HTTPConnections(configuration)
  }
}
