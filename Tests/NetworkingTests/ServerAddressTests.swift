import Networking
import Testing

@Suite struct ServerAddressTests {
  @Test func addressesOfTheNewKindStandInBrackets() {
    for (host, written) in [
      ("127.0.0.1", "127.0.0.1"), ("log.example", "log.example"), ("::1", "[::1]"), ("::", "[::]"),
      ("[fe80::1]", "[fe80::1]"),
    ] {
      let address = ServerAddress(host: host, port: 8463)
      #expect("\(address)" == "\(written):8463" && address.url == "http://\(written):8463")
    }
  }
}
