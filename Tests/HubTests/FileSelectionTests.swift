import Hub
import Testing

@Suite struct FileSelectionTests {
  private func listing(_ paths: String...) -> RepositoryListing {
    RepositoryListing(commit: "", files: paths.sorted().map { RemoteFile(path: $0, bytes: 1, identity: nil) })
  }

  private func choose(_ file: String?, _ listing: RepositoryListing) throws -> FileSelection {
    try FileSelection.choose(listing, repository: "org/name", file: file)
  }

  @Test func theSingleFileGoesBeforeTheIndex() throws {
    let base = listing(
      "config.json", "tokenizer.json", "README.md", "pytorch_model.bin", "model.safetensors.index.json",
      "model-00001-of-00001.safetensors", "onnx/model.onnx", "chat_template.jinja", "1_Pooling/config.json")
    guard case .directory(let texts, let weights) = try choose(nil, base) else { return #expect(Bool(false)) }
    #expect(weights.path == "model.safetensors.index.json")
    #expect(
      Set(texts.map(\.path)) == ["config.json", "tokenizer.json", "chat_template.jinja", "1_Pooling/config.json"])
    let both = RepositoryListing(
      commit: "", files: base.files + [RemoteFile(path: "model.safetensors", bytes: 1, identity: nil)])
    guard case .directory(_, let single) = try choose(nil, both) else { return #expect(Bool(false)) }
    #expect(single.path == "model.safetensors")
  }

  @Test func aQuantisationIsAWholeWord() throws {
    let ggufs = listing(
      "M-Q4_K.gguf", "M-Q4_K_M.gguf", "M.q5_0.gguf", "M-UD-Q4_K_XL.gguf", "mmproj-Q8_0.gguf", "sub/M-Q8_0.gguf")
    func path(_ file: String) throws -> String? {
      if case .gguf(let files) = try choose(file, ggufs) { files[0].path } else { nil }
    }
    #expect(try path("Q4_K") == "M-Q4_K.gguf" && path("q4_k_m") == "M-Q4_K_M.gguf" && path("Q5_0") == "M.q5_0.gguf")
    #expect(try path("Q4_K_XL") == "M-UD-Q4_K_XL.gguf" && path("UD-Q4_K_XL") == "M-UD-Q4_K_XL.gguf")
    #expect(try path("Q8_0") == "sub/M-Q8_0.gguf" && path("m-q8_0.gguf") == "sub/M-Q8_0.gguf")
    #expect(try path("mmproj-Q8_0.gguf") == "mmproj-Q8_0.gguf")
    for wrong in ["Q4", "Q6_K", "gguf", "M-Q4_K.ggu"] {
      #expect(throws: HubRejection.self, "\(wrong)") { try path(wrong) }
    }
  }

  @Test func theOnlyFileNeedsNoName() throws {
    #expect(
      try choose(nil, listing("a-Q8_0.gguf", "mmproj-a.gguf", "README.md"))
        == .gguf([RemoteFile(path: "a-Q8_0.gguf", bytes: 1, identity: nil)]))
    #expect(throws: HubRejection.chooseFile(repository: "org/name", candidates: ["a.gguf", "b.gguf"])) {
      try choose(nil, listing("a.gguf", "b.gguf"))
    }
    #expect(throws: HubRejection.nothingUsable(repository: "org/name", found: ["pytorch_model.bin"])) {
      try choose(nil, listing("pytorch_model.bin", "config.json"))
    }
    #expect(throws: HubRejection.self) { try choose(nil, listing("model.safetensors", "tokenizer.json")) }
  }

  @Test func partsBelongTogether() throws {
    let split = listing(
      "Q8_0/m-Q8_0-00001-of-00003.gguf", "Q8_0/m-Q8_0-00002-of-00003.gguf", "Q8_0/m-Q8_0-00003-of-00003.gguf",
      "m-Q4_0.gguf")
    for wanted in ["Q8_0", "m-Q8_0-00001-of-00003.gguf", "Q8_0/m-Q8_0-00002-of-00003.gguf"] {
      let selection = try choose(wanted, split)
      guard case .gguf(let parts) = selection else { return #expect(Bool(false)) }
      #expect(parts.map(\.path) == split.files.prefix(3).map(\.path))
      #expect(selection.defaultName(for: try HubReference("org/M-GGUF")) == "m:q8_0")
    }
    #expect(throws: HubRejection.chooseFile(repository: "org/name", candidates: [split.files[0].path, "m-Q4_0.gguf"])) {
      try choose(nil, split)
    }
    let incomplete = listing("m-00001-of-00003.gguf", "m-00003-of-00003.gguf")
    #expect(throws: HubRejection.missingPart(of: "m-00001-of-00003.gguf", number: 2)) { try choose(nil, incomplete) }
  }

  @Test(arguments: [
    ("org/SmolLM2-135M", nil, "smollm2-135m"), ("org/M+x", nil, nil),
    ("org/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q4_K_M.gguf", "qwen3-0.6b:q4_k_m"),
    ("org/m", "m.bf16.gguf", "m:bf16"), ("org/m", "weights.gguf", "m:weights"), ("org/_m", nil, "m"),
  ])
  func defaultNames(_ repository: String, _ file: String?, _ name: String?) throws {
    guard let name else {
      #expect(throws: HubRejection.self) { try HubReference(repository) }
      return
    }
    let selection: FileSelection =
      file.map { .gguf([RemoteFile(path: $0, bytes: 1, identity: nil)]) }
      ?? .directory(texts: [], weights: RemoteFile(path: "model.safetensors", bytes: 1, identity: nil))
    #expect(selection.defaultName(for: try HubReference(repository)) == name)
  }
}
