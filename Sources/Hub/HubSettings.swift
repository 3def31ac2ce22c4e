import Foundation
public import Networking

/// Where the hub is, who asks, and where its files may be already. The variables are those of the
/// huggingface_hub package.
public struct HubSettings: Sendable {
  /// `https://huggingface.co`, without a slash at the end.
  public var endpoint: Origin
  /// Sent to the endpoint only.
  public var token: String?
  /// Use nothing but what is on this machine.
  public var offline: Bool
  /// The Hugging Face cache: `models--org--name` folders.
  public var cacheFolder: String
  /// How long no byte may come before a connection counts as broken.
  public var idleSecondsMax: Int
  /// Certificates and proxies.
  public var network: NetworkSettings
  /// A proxy that leads to the endpoint.
  public var proxy: NetworkSettings.Proxy?
  public var userAgent: String

  public static let standardEndpoint = "https://huggingface.co"

  /// - Throws: ``HubFailure/invalidSetting(name:value:wanted:)``.
  public init(environment: [String: String], offline: Bool = false, userAgent: String) throws(HubFailure) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    func isTrue(_ name: String) -> Bool { ["1", "ON", "YES", "TRUE"].contains(value(name)?.uppercased()) }
    let home = value("HOME") ?? NSHomeDirectory()
    func expanded(_ path: String) -> String {
      path == "~" || path.hasPrefix("~/") ? home + path.dropFirst(1) : path
    }

    let place = value("HF_ENDPOINT") ?? HubSettings.standardEndpoint
    guard let endpoint = Origin(endpoint: place) else {
      throw .invalidSetting(name: "HF_ENDPOINT", value: place, wanted: "a URL such as \(HubSettings.standardEndpoint)")
    }
    self.endpoint = endpoint
    self.offline = offline || isTrue("HF_HUB_OFFLINE")
    let hubHome = expanded(value("HF_HOME") ?? (value("XDG_CACHE_HOME") ?? home + "/.cache") + "/huggingface")
    cacheFolder = expanded(value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") ?? hubHome + "/hub")
    network = NetworkSettings(environment: environment)
    do { proxy = try network.proxy(scheme: endpoint.scheme, host: endpoint.host) } catch { throw HubFailure(error) }
    self.userAgent = userAgent

    idleSecondsMax = 30
    if let text = value("HF_HUB_DOWNLOAD_TIMEOUT") {
      guard let seconds = Int(text), (1...3600).contains(seconds) else {
        throw .invalidSetting(name: "HF_HUB_DOWNLOAD_TIMEOUT", value: text, wanted: "seconds, 1 to 3600")
      }
      idleSecondsMax = seconds
    }

    let tokenFile = expanded(value("HF_TOKEN_PATH") ?? hubHome + "/token")
    var found: (text: String, name: String)?
    if let text = value("HF_TOKEN") ?? value("HUGGING_FACE_HUB_TOKEN") {
      found = (text, "HF_TOKEN")
    } else if !isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN"),
      let data = try? Data(contentsOf: URL(fileURLWithPath: tokenFile)), data.count <= 4096
    {
      found = (String(decoding: data, as: UTF8.self), tokenFile)
    }
    token = nil
    if let found {
      let text = found.text.trimmingCharacters(in: .whitespacesAndNewlines)
      guard text.utf8.count <= 1024, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw .invalidSetting(name: found.name, value: "…", wanted: "a token of letters, digits and signs")
      }
      if !text.isEmpty { token = text }
    }
  }

  /// Scheme, host and port, and for an endpoint what comes before its paths.
  public struct Origin: Equatable, Sendable, CustomStringConvertible {
    public let scheme: String
    public let host: String
    public let port: Int
    /// Empty, or `/path` without a slash at the end.
    public let base: String

    init?(_ url: URL, base: String = "") {
      guard let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
        let host = url.host?.lowercased(), !host.isEmpty, url.user == nil
      else { return nil }
      self.scheme = scheme
      self.host = host
      port = url.port ?? (scheme == "https" ? 443 : 80)
      self.base = base
    }

    package init?(endpoint text: String) {
      guard text.utf8.count <= 1024, let url = URL(string: text), url.query == nil, url.fragment == nil else {
        return nil
      }
      var path = url.path
      while path.hasSuffix("/") { path.removeLast() }
      self.init(url, base: path)
    }

    /// Whether a token for this place may be sent to `other`.
    package func isSameHost(as other: Origin) -> Bool {
      scheme == other.scheme && host == other.host && port == other.port
    }

    /// `https://host:port`, the port only where it is not the scheme's own.
    package var address: String {
      "\(scheme)://\(ServerAddress.bracketed(host))" + (port == (scheme == "https" ? 443 : 80) ? "" : ":\(port)")
    }

    public var description: String { address + base }
  }
}
