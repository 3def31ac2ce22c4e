import Networking
import Testing

@Suite struct NetworkSettingsTests {
  private let named = ["HTTPS_PROXY": "http://me:pw@proxy.example:3128"]

  private func proxy(
    _ environment: [String: String], _ scheme: String = "https", _ host: String = "log.example"
  ) throws -> NetworkSettings.Proxy? { try NetworkSettings(environment: environment).proxy(scheme: scheme, host: host) }

  @Test func proxiesAreNamed() throws {
    let found = try #require(try proxy(named))
    #expect(found.host == "proxy.example" && found.port == 3128 && found.user == "me" && found.password == "pw")
    #expect(try proxy(["all_proxy": "proxy.example"])?.port == 80)
    #expect(try proxy([:]) == nil && proxy(["HTTPS_PROXY": ""]) == nil)
    #expect(try proxy(["HTTPS_PROXY": "", "https_proxy": "other"])?.host == "other")
    // What is near is reached straight.
    #expect(try proxy(named, "http") == nil)
  }

  @Test func exceptionsAreDomains() throws {
    for exception in ["*", "log.example", "x, .log.example", "example", "LOG.example"] {
      #expect(try proxy(named.merging(["NO_PROXY": exception]) { $1 }) == nil, "\(exception)")
      #expect(try proxy(named.merging(["no_proxy": exception]) { $1 }, "https", "Log.Example") == nil, "\(exception)")
    }
    for exception in ["", "g.example", "localhost", "a.log.example"] {
      #expect(try proxy(named.merging(["NO_PROXY": exception]) { $1 }) != nil, "\(exception)")
    }
  }

  @Test func whatCannotBeUsedIsSaidWithoutSecrets() throws {
    for wrong in ["socks5://me:secret@x:1", "https://x", "http://"] {
      let rejection = #expect(throws: NetworkSettingRejection.self) { try proxy(["ALL_PROXY": wrong]) }
      #expect(
        rejection?.description.contains("ALL_PROXY") == true && rejection?.description.contains("secret") == false)
      // Where it is not needed it does no harm.
      #expect(try proxy(["ALL_PROXY": wrong], "http") == nil)
    }
    let settings = NetworkSettings(environment: ["SSL_CERT_FILE": "/no/such"])
    #expect(throws: NetworkSettingRejection.self) { _ = try HTTPConnections(settings: settings) }
  }
}
