import Foundation
import Hub
import Networking
import Testing

@Suite struct HubSettingsTests {
  private func settings(_ environment: [String: String]) throws -> HubSettings {
    try HubSettings(environment: ["HOME": "/h"].merging(environment) { $1 }, userAgent: "test")
  }

  @Test func places() throws {
    #expect(try settings([:]).endpoint.description == "https://huggingface.co")
    #expect(try settings([:]).cacheFolder == "/h/.cache/huggingface/hub")
    #expect(try settings(["XDG_CACHE_HOME": "/c"]).cacheFolder == "/c/huggingface/hub")
    #expect(try settings(["HF_HOME": "~/hf", "XDG_CACHE_HOME": "/c"]).cacheFolder == "/h/hf/hub")
    #expect(try settings(["HF_HOME": "/x", "HF_HUB_CACHE": "/y"]).cacheFolder == "/y")
    #expect(try settings(["HF_ENDPOINT": "HTTP://Mirror:8080/hf/"]).endpoint.description == "http://mirror:8080/hf")
    #expect(try settings(["HF_ENDPOINT": "http://[::1]:80"]).endpoint.address == "http://[::1]")
    for wrong in ["huggingface.co", "ftp://x", "http://", "http://u:p@x", "http://x?y", "http://x#y", " "] {
      #expect(throws: HubFailure.self, "\(wrong)") { try settings(["HF_ENDPOINT": wrong]) }
    }
    #expect(try settings(["HF_HUB_OFFLINE": "1"]).offline && !settings(["HF_HUB_OFFLINE": "0"]).offline)
    #expect(try settings(["HF_HUB_DOWNLOAD_TIMEOUT": "7"]).idleSecondsMax == 7)
    #expect(throws: HubFailure.self) { try settings(["HF_HUB_DOWNLOAD_TIMEOUT": "0"]) }
  }

  @Test func tokens() throws {
    let folder = NSTemporaryDirectory() + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("hf_file\n".utf8).write(to: URL(fileURLWithPath: folder + "/token"))
    #expect(try settings(["HF_HOME": folder]).token == "hf_file")
    #expect(try settings(["HF_HOME": folder, "HF_TOKEN": " hf_own\n"]).token == "hf_own")
    #expect(try settings(["HF_HOME": folder, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]).token == nil)
    #expect(try settings(["HF_TOKEN_PATH": folder + "/token"]).token == "hf_file")
    #expect(try settings([:]).token == nil)
    // Nothing that could end a header and begin another.
    #expect(throws: HubFailure.self) { try settings(["HF_TOKEN": "a\r\nX: y"]) }
  }

  @Test func proxies() throws {
    let named = ["HTTPS_PROXY": "http://me:pw@proxy.example:3128"]
    let proxy = try #require(try settings(named).proxy)
    #expect(proxy.host == "proxy.example" && proxy.port == 3128 && proxy.user == "me" && proxy.password == "pw")
    #expect(try settings(["all_proxy": "proxy.example"]).proxy?.port == 80)
    #expect(try settings([:]).proxy == nil)
    #expect(try settings(named.merging(["HF_ENDPOINT": "http://mirror"]) { $1 }).proxy == nil)
    for exception in ["*", "huggingface.co", "x, .huggingface.co", "co"] {
      #expect(try settings(named.merging(["NO_PROXY": exception]) { $1 }).proxy == nil, "\(exception)")
    }
    #expect(try settings(named.merging(["NO_PROXY": "face.co,localhost"]) { $1 }).proxy != nil)
    #expect(throws: HubFailure.self) { try settings(["HTTPS_PROXY": "socks5://x:1"]) }
  }

  @Test func theTokenStaysWithItsOrigin() throws {
    func origin(_ text: String) throws -> HubSettings.Origin { try #require(HubSettings.Origin(endpoint: text)) }
    let hub = try origin("https://hub.example")
    for same in ["https://hub.example:443/x", "https://HUB.example"] {
      #expect(hub.isSameHost(as: try origin(same)))
    }
    for other in [
      "http://hub.example", "https://hub.example:444", "https://cdn.hub.example", "https://hub.example.org",
    ] {
      #expect(!hub.isSameHost(as: try origin(other)))
    }
  }

  @Test func redirects() throws {
    let secure = try #require(URL(string: "https://hub.example/org/m/resolve/main/x"))
    #expect(try HubClient.target(of: "https://cdn.example/y?z=1", from: secure) == "https://cdn.example/y?z=1")
    #expect(try HubClient.target(of: "/api/y", from: secure) == "https://hub.example/api/y")
    for wrong in [nil, "", "http://cdn.example/y", "file:///etc/passwd", "javascript:x", "https://u:p@x/"] {
      #expect(throws: HubRejection.self, "\(wrong ?? "nil")") { try HubClient.target(of: wrong, from: secure) }
    }
    let plain = try #require(URL(string: "http://hub.example/x"))
    #expect(try HubClient.target(of: "http://other.example/", from: plain) == "http://other.example/")
  }
}
