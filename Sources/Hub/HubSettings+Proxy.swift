import Foundation

extension HubSettings {
  /// The proxy that an environment names for https, as curl and Python read it.
  public struct Proxy: Equatable, Sendable {
    public var host: String
    public var port: Int
    public var user: String?
    public var password: String?

    /// Nil where none is named, or the endpoint is not to be reached through it. Plain http is for hubs
    /// nearby and never goes through a proxy.
    ///
    /// - Throws: ``HubFailure/invalidSetting(name:value:wanted:)``.
    package init?(environment: [String: String], for endpoint: Origin) throws(HubFailure) {
      let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
      guard endpoint.scheme == "https", let name = names.first(where: { !(environment[$0] ?? "").isEmpty }),
        let text = environment[name]
      else { return nil }
      let exceptions = environment["NO_PROXY"] ?? environment["no_proxy"] ?? ""
      for exception in exceptions.split(whereSeparator: { $0 == "," || $0 == " " }) {
        let domain = exception.hasPrefix(".") ? exception.dropFirst() : exception
        if domain == "*" || endpoint.host == domain || endpoint.host.hasSuffix("." + domain) { return nil }
      }
      guard let url = URL(string: text.contains("://") ? text : "http://" + text), url.scheme == "http",
        let host = url.host, !host.isEmpty
      else {
        // It may hold a password.
        throw .invalidSetting(name: name, value: "…", wanted: "a URL such as http://proxy.example:3128")
      }
      self.host = host
      port = url.port ?? 80
      user = url.user
      password = url.password
    }
  }
}
