/// Where a server is, as people and URLs write it: an IPv6 address stands in brackets.
///
/// Source: RFC 3986, section 3.2.2.
package struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
  package let host: String
  package let port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// A host as it stands in an address.
  package static func bracketed(_ host: String) -> String {
    host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
  }

  /// `host:port`
  package var description: String { "\(ServerAddress.bracketed(host)):\(port)" }

  package var url: String { "http://\(self)" }
}
