import AsyncHTTPClient
import Digests
package import Foundation
import NIOCore
import NIOHTTP1
import Networking

/// Speaks HTTP with a hub and with the hosts that it leads to.
///
/// The token goes to the hub's own origin and nowhere else, whatever a redirect says.
package final class HubClient: Sendable {
  let settings: HubSettings
  private let client: HTTPClient

  static let redirectsMax = 8

  /// - Throws: ``HubFailure/invalidSetting(name:value:wanted:)``.
  init(settings: HubSettings, connections: Int) throws(HubFailure) {
    self.settings = settings
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(Int64(settings.idleSecondsMax)))
    // Several connections are the point of several ranges; one HTTP/2 connection would carry them all.
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections + 1
    // Attempts are counted here.
    configuration.connectionPool.retryConnectionEstablishment = false
    do { try settings.network.configure(&configuration, proxy: settings.proxy) } catch { throw HubFailure(error) }
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func shutdown() async { try? await client.shutdown() }

  /// An answer, redirects followed.
  struct Answer {
    let url: String
    let status: Int
    let headers: HTTPHeaders
    let body: HTTPClientResponse.Body
    /// The last headers that the hub itself sent, before it led elsewhere.
    let hubHeaders: HTTPHeaders
    let isFromHub: Bool

    /// What the hub calls this version of the file. Source: huggingface_hub, `get_hf_file_metadata`.
    var entityTag: String? {
      guard var tag = hubHeaders.first(name: "X-Linked-Etag") ?? hubHeaders.first(name: "ETag") else { return nil }
      if tag.hasPrefix("W/") { tag.removeFirst(2) }
      tag = tag.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
      return tag.isEmpty || tag.utf8.count > 256 ? nil : tag
    }

    /// The size the hub states for what it links to.
    var linkedBytes: Int? { hubHeaders.first(name: "X-Linked-Size").flatMap { Int($0) } }

    /// Reads and forgets a short body, so that the connection can be used again.
    func drain() async { _ = try? await body.collect(upTo: 64 << 10) }
  }

  /// One request. Neither retries nor minds the status.
  ///
  /// - Throws: ``HubFailure``, ``HubRejection/redirect(url:problem:)``, ``TransportFailure``, `CancellationError`.
  func get(_ url: String, range: Range<Int>? = nil) async throws -> Answer {
    var url = url
    var hubHeaders = HTTPHeaders()
    for _ in 0...HubClient.redirectsMax {
      guard let parsed = URL(string: url), let origin = HubSettings.Origin(parsed) else {
        throw HubRejection.redirect(url: url, problem: "it is not an http or https URL")
      }
      var request = HTTPClientRequest(url: url)
      request.headers.add(name: "User-Agent", value: settings.userAgent)
      // A body that was compressed on the way could not be asked for in ranges.
      request.headers.add(name: "Accept-Encoding", value: "identity")
      if let range {
        request.headers.add(name: "Range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
      }
      let isHub = origin.isSameHost(as: settings.endpoint)
      if isHub, let token = settings.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
      let response: HTTPClientResponse
      do {
        response = try await client.execute(request, deadline: .distantFuture)
      } catch {
        try Task.checkCancellation()
        throw TransportFailure(host: origin.address, error, idleSecondsMax: settings.idleSecondsMax)
      }
      if isHub { hubHeaders = response.headers }
      let answer = Answer(
        url: url, status: Int(response.status.code), headers: response.headers, body: response.body,
        hubHeaders: hubHeaders, isFromHub: isHub)
      guard [301, 302, 303, 307, 308].contains(answer.status) else { return answer }
      await answer.drain()
      url = try HubClient.target(of: response.headers.first(name: "Location"), from: parsed)
    }
    throw HubRejection.redirect(url: url, problem: "there are more than \(HubClient.redirectsMax) redirects")
  }

  /// Where a redirect leads. From https it leads to https only.
  package static func target(of location: String?, from url: URL) throws(HubRejection) -> String {
    func refuse(_ problem: String) -> HubRejection { .redirect(url: url.absoluteString, problem: problem) }
    guard let location, location.utf8.count <= 16 << 10,
      let target = URL(string: location, relativeTo: url)?.absoluteURL,
      HubSettings.Origin(target) != nil
    else { throw refuse("the address is missing or malformed") }
    guard url.scheme?.lowercased() != "https" || target.scheme?.lowercased() == "https" else {
      throw refuse("from https to http")
    }
    return target.absoluteString
  }
}
