import Hub
import Testing

@Suite struct HubReferenceTests {
  @Test func parts() throws {
    let plain = try HubReference("HuggingFaceTB/SmolLM2-135M")
    #expect(plain.repository == "HuggingFaceTB/SmolLM2-135M" && plain.revision == "main" && plain.file == nil)
    let full = try HubReference("org/name.v1@refs/pr/1:dir/model-Q4_K_M.gguf")
    #expect(full.repository == "org/name.v1" && full.revision == "refs/pr/1" && full.file == "dir/model-Q4_K_M.gguf")
    // An @ after the colon belongs to the file.
    let odd = try HubReference("org/name:a@b.gguf")
    #expect(odd.revision == "main" && odd.file == "a@b.gguf" && odd.name == "name")
  }

  @Test(arguments: ["a/b", "a/b@v1.0", "a/b:Q4_K_M", "a/b@v1:x.gguf", "A_1/b-c.d"])
  func printsItself(_ text: String) throws { #expect(try HubReference(text).description == text) }

  @Test(arguments: [
    "", "a", "/", "a/", "/b", "a/b/c", "../b", "a/..", "a/.b", "-a/b", "a b/c", "a/b c", "ä/b", "a/b@", "a/b@-x",
    "a/b@/x",
    "a/b@x/", "a/b@..", "a/b@a//b", "a/b@a b", "a/b:", "a/b:/etc/passwd", "a/b:../x", "a/b:x/../y", "a/b:x\\y",
    "a/b:x\n",
    "a/b@x\n", "a/b\0", "a--b/c", "a/b..c", "https://huggingface.co/a/b", "a/b:" + String(repeating: "x", count: 300),
    String(repeating: "a", count: 97) + "/b",
  ])
  func refused(_ text: String) {
    #expect {
      try HubReference(text)
    } throws: { error in
      if case .invalidReference(text, _)? = error as? HubRejection { true } else { false }
    }
  }
}
