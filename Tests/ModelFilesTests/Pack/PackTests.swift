import Digests
import ModelFiles
import ModelGraph
import Testing

@Suite struct PackTests {
  private func pack(_ directory: ModelDirectory = ModelDirectory()) throws -> [UInt8] {
    let folder = TemporaryFolder()
    try Pack.importPack(directory: directory.write().path, to: folder.path + "/m.pack")
    #expect(folder.names == ["m.pack"])
    return folder.read("m.pack")
  }

  private func load(_ bytes: [UInt8], checkingDigests: Bool = true) throws -> LoadedModel {
    try Pack(ModelBytes(copying: bytes)).load(checkingDigests: checkingDigests)
  }

  @Test func embeddedModelLoads() throws {
    let model = try EmbeddedModel.load()
    #expect(EmbeddedModel.pack.count < 8 << 20)
    #expect(model.manifest.config.vocabularySize > 256 && model.chatTemplate != nil && !model.tokenizer.isEmpty)
    #expect(model.digest == model.manifest.digest)
    #expect(model.manifestBytes == model.manifest.canonicalBytes)
  }

  @Test(arguments: [true, false])
  func roundTrip(_ withTemplate: Bool) throws {
    var directory = ModelDirectory()
    if !withTemplate { directory.tokenizerConfig = nil }
    let bytes = try pack(directory)
    let model = try load(bytes)
    #expect((model.chatTemplate != nil) == withTemplate)
    #expect(model.tokenizer == Array(directory.tokenizer.text().utf8))
    let folder = TemporaryFolder()
    try Pack.write(model, to: folder.path + "/copy.pack")
    #expect(folder.read("copy.pack") == bytes)
    #expect(try Pack.load(path: folder.path + "/copy.pack").digest == model.digest)
  }

  @Test func layoutIsStrict() throws {
    let bytes = try pack()
    func changed(_ change: (inout [UInt8]) -> Void) throws {
      var copy = bytes
      change(&copy)
      _ = try load(copy)
    }
    #expect(throws: PackRejection.notAPack) { try load([]) }
    #expect(throws: PackRejection.notAPack) { try changed { $0[7] = 0 } }
    #expect(throws: PackRejection.tooShort(bytes: 15)) { try load(Array(bytes.prefix(15))) }
    #expect(throws: PackRejection.tooShort(bytes: 100)) { try load(Array(bytes.prefix(100))) }
    #expect(throws: PackRejection.entries(5)) { try changed { $0[8] = 5 } }
    #expect(throws: PackRejection.entries(0x0100_0004)) { try changed { $0[11] = 1 } }
    #expect(throws: PackRejection.reserved) { try changed { $0[12] = 1 } }
    #expect(throws: PackRejection.trailingBytes(1)) { try changed { $0.append(0) } }
    #expect(throws: PackRejection.entryOutside(3)) { try changed { $0.removeLast() } }
    // The length of entry 0, then its offset.
    #expect(throws: PackRejection.entryOutside(0)) { try changed { $0[16 + 47] = 0x7F } }
    #expect(throws: PackRejection.entryOutside(0)) { try changed { $0[16 + 47] = 0xFF } }
    #expect(throws: PackRejection.entryMisplaced(0, offset: 1 << 63 | 256, expected: 256)) {
      try changed { $0[16 + 39] = 0x80 }
    }
    // 16 + 4 · 48 = 208 … 256 is the first gap.
    #expect(throws: PackRejection.gapNotZero(before: 0)) { try changed { $0[255] = 1 } }
  }

  @Test func everyByteCounts() throws {
    let bytes = try pack()
    var (seed, generator) = SeededGenerator.announced("PackTests.everyByteCounts")
    for _ in 0..<300 {
      var copy = bytes
      let at = Int.random(in: 0..<copy.count, using: &generator)
      copy[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      // Entry 0's digest says which model it is; nothing else may change.
      #expect(throws: (any Error).self, "seed \(seed), byte \(at)") { try load(copy) }
    }
  }

  @Test func digestsCanBeLeftUnchecked() throws {
    var bytes = try pack()
    let model = try load(bytes)
    let offset = bytes.count - model.chatTemplate!.count
    bytes[offset] ^= 1
    #expect(throws: LoadRejection.self) { try load(bytes) }
    #expect(try load(bytes, checkingDigests: false).digest == model.digest)
  }

  @Test func nothingAppearsWhenAnImportFails() throws {
    var directory = ModelDirectory()
    directory.tensors[4].values[0] = .nan
    let source = directory.write()
    let folder = TemporaryFolder()
    #expect(throws: ImportRejection.self) { try Pack.importPack(directory: source.path, to: folder.path + "/m.pack") }
    #expect(folder.names == [])
    #expect(throws: FileFailure.self) { try Pack.importPack(directory: source.path, to: folder.path + "/none/m.pack") }
  }
}
