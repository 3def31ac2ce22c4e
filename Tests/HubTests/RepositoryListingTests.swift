import Digests
import Hub
import NIOHTTP1
import Testing

@Suite struct RepositoryListingTests {
  static let sha1 = String(repeating: "a1", count: 20)
  static let sha256 = String(repeating: "b2", count: 32)

  @Test func revision() throws {
    func licence(_ json: String) throws -> String? {
      try RepositoryListing.revision(JSON.parse("{\"sha\":\"\(Self.sha1)\"\(json)}"), url: "").licence
    }
    #expect(try licence("") == nil)
    #expect(try licence(",\"cardData\":{\"license\":\"mit\"}") == "mit")
    #expect(try licence(",\"cardData\":{\"license\":\"other\",\"license_name\":\"qwen\"}") == "qwen")
    #expect(try licence(",\"tags\":[\"x\",\"license:gemma\"]") == "gemma")
    #expect(try licence(",\"cardData\":{\"license\":\"a\\nb\"}") == nil)
    for wrong in ["{}", "[]", "{\"sha\":1}", "{\"sha\":\"main\"}", "{\"sha\":\"../\(Self.sha1.dropFirst(3))\"}"] {
      #expect(throws: HubRejection.self, "\(wrong)") { try RepositoryListing.revision(JSON.parse(wrong), url: "") }
    }
  }

  @Test func tree() throws {
    let json = try JSON.parse(
      """
      [{"type":"directory","path":"d","oid":"x","size":0},
       {"type":"file","path":"config.json","oid":"\(Self.sha1)","size":5},
       {"type":"file","path":"d/model.safetensors","oid":"\(Self.sha1)","size":7,
        "lfs":{"oid":"\(Self.sha256)","size":7,"pointerSize":1}},
       {"type":"file","path":"../../etc/passwd","oid":"\(Self.sha1)","size":5},
       {"type":"file","path":"/etc/passwd","oid":"\(Self.sha1)","size":5}]
      """)
    #expect(
      try RepositoryListing.tree(json, url: "") == [
        RemoteFile(path: "config.json", bytes: 5, identity: .gitBlob(Self.sha1)),
        RemoteFile(path: "d/model.safetensors", bytes: 7, identity: .sha256(Self.sha256)),
      ])
    for wrong in [
      "{}", "[{\"type\":\"file\"}]", "[{\"type\":\"file\",\"path\":\"x\",\"size\":-1,\"oid\":\"\(Self.sha1)\"}]",
      "[{\"type\":\"file\",\"path\":\"x\",\"size\":1e30,\"oid\":\"\(Self.sha1)\"}]",
      "[{\"type\":\"file\",\"path\":\"x\",\"size\":1,\"oid\":\"zz\"}]",
    ] {
      #expect(throws: HubRejection.self, "\(wrong)") { try RepositoryListing.tree(JSON.parse(wrong), url: "") }
    }
  }

  @Test func nextPageStaysAtTheHub() throws {
    let endpoint = try #require(HubSettings.Origin(endpoint: "https://mirror.example/hf"))
    func next(_ link: String) -> String? { RepositoryListing.nextPage(["Link": link], endpoint: endpoint) }
    #expect(
      next("<https://huggingface.co/api/models/a/b/tree/c?recursive=true&cursor=ab%3D>; rel=\"next\"")
        == "https://mirror.example/api/models/a/b/tree/c?recursive=true&cursor=ab%3D")
    #expect(next("<https://x/1>; rel=\"prev\", <https://x/2?c=1>; rel=\"next\"") == "https://mirror.example/2?c=1")
    #expect(next("<https://x/1>; rel=\"last\"") == nil && next("nonsense") == nil && next("<>; rel=\"next\"") == nil)
    #expect(RepositoryListing.nextPage([:], endpoint: endpoint) == nil)
  }

  @Test func escaping() {
    #expect(RemoteFile.escaped("a b/ü#?.gguf") == "a%20b/%C3%BC%23%3F.gguf")
    #expect(RemoteFile.escaped("refs/pr/1", keepingSlashes: false) == "refs%2Fpr%2F1")
  }

  @Test func licencesOfCards() {
    #expect(Licence.of(card: "---\nlanguage: en\nlicense: apache-2.0 # text\n---\nlicense: mit") == "apache-2.0")
    #expect(Licence.of(card: "---\r\nlicense: \"mit\"\r\n---\r\n") == "mit")
    #expect(Licence.of(card: "---\nlicense: other\nlicense_name: llama3.2\n---") == "llama3.2")
    #expect(Licence.of(card: "---\nlicense:\n  - mit\n  - gpl-3.0\n---") == "mit")
    #expect(Licence.of(card: "---\nlicense: other\n---") == "other")
    for card in [
      "", "license: mit", "---\ntitle: x\n---\nlicense: mit", "---\nlicense:\n---", "---\n  license: mit\n---",
    ] {
      #expect(Licence.of(card: card) == nil)
    }
  }
}
