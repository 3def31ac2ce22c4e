import ModelFiles
import Testing

@Suite struct ModelNameTests {
  @Test(arguments: ["a", "0", "smollm2-135m", "smollm2:135m", "a.b_c-d:e.f", "llama.3"])
  func good(_ text: String) throws { #expect(try ModelName(text).text == text) }

  @Test(arguments: [
    "", ":", "a:", ":a", "a:b:c", "A", "-a", ".a", "..", ".", "_a", "a/b", "a b", "a\n", "a\0", "ä", "a:B", "a:.b",
    "../x",
    "sha256:" + String(repeating: "0", count: 65),
  ])
  func bad(_ text: String) {
    #expect { try ModelName(text) } throws: { error in
      if case .invalidName(text, _)? = error as? StoreRejection { true } else { false }
    }
  }

  @Test func length() throws {
    let longest = String(repeating: "a", count: 128) + ":" + String(repeating: "b", count: 64)
    #expect(try ModelName(longest).text.utf8.count == 193)
    #expect(throws: StoreRejection.self) { try ModelName(String(repeating: "a", count: 129)) }
    #expect(throws: StoreRejection.self) { try ModelName("a:" + String(repeating: "b", count: 65)) }
  }
}
