import Digests
import ModelFiles
import ModelGraph
import Testing

/// Damaged files of every kind: each is refused with a typed error or is still a valid model; none traps.
/// A trap would end the test process.
@Suite(.serialized) struct MutationTests {
  /// Imports `files` with one of them mutated.
  private func importMutated(_ directory: ModelDirectory, file: String, count: Int) -> MutationRun.Outcome {
    let folder = directory.write()
    let original = folder.read(file)
    return MutationRun.run(file, count: count) { generator in
      folder.write(Mutation.random(of: original, using: &generator), file)
      var weights: [UInt8] = []
      let manifest = try HuggingFaceImporter(directory: folder.path, options: ImportOptions(threads: 2))
        .convert { weights += $0 }
      // What an import yields must load.
      _ = try ModelImage(manifest: ModelManifest(bytes: manifest.canonicalBytes), weights: ModelBytes(copying: weights))
    }
  }

  @Test func corpus() throws {
    let before = MutationRun.peakKibibytes
    var sharded = ModelDirectory(tied: false)
    sharded.shards = 2
    var total = 0
    for (file, directory, count) in [
      ("model.safetensors", ModelDirectory(), 300), ("config.json", ModelDirectory(), 250),
      ("tokenizer.json", ModelDirectory(), 120), ("generation_config.json", ModelDirectory(), 60),
      ("tokenizer_config.json", ModelDirectory(), 60), ("model.safetensors.index.json", sharded, 80),
      ("model-1.safetensors", sharded, 60),
    ] {
      let outcome = importMutated(directory, file: file, count: count)
      #expect(outcome.refused > count / 20, "\(file): mutations should mostly be noticed")
      total += count
    }
    total += try manifests(count: 300) + packs(count: 200)
    print("MutationTests: \(total) files, peak memory grew by \((MutationRun.peakKibibytes - before) / 1024) MiB")
    #expect(total >= 1000)
    #expect(MutationRun.peakKibibytes - before < 512 << 10)
  }

  /// Bytes of a manifest, and values in a manifest that is canonical again and named by the right digest,
  /// so that the checks behind the first ones are reached.
  private func manifests(count: Int) throws -> Int {
    let folder = TemporaryFolder()
    try Pack.importPack(directory: ModelDirectory().write().path, to: folder.path + "/m.pack")
    let bytes = folder.read("m.pack")
    let model = try Pack(ModelBytes(copying: bytes)).load()
    _ = MutationRun.run("manifest bytes", count: count / 2) { generator in
      _ = try ModelManifest(bytes: Mutation.random(of: model.manifestBytes, using: &generator))
    }
    let json = try JSON.parse(model.manifestBytes)
    let outcome = MutationRun.run("manifest values", count: count - count / 2) { generator in
      let mutant = Mutation.value(of: json, using: &generator)
      guard let manifest = try? mutant.canonicalBytes() else { throw PackRejection.notAPack }
      _ = try Pack(ModelBytes(copying: MutationTests.pack(bytes, manifest: manifest))).load()
    }
    #expect(outcome.refused > 20)
    return count
  }

  private func packs(count: Int) throws -> Int {
    let folder = TemporaryFolder()
    try Pack.importPack(directory: Fixtures.path("tiny-llama"), to: folder.path + "/m.pack")
    let bytes = folder.read("m.pack")
    let outcome = MutationRun.run("pack", count: count) { generator in
      let mutant = Mutation.random(of: bytes, using: &generator)
      guard mutant != bytes else { throw PackRejection.notAPack }
      _ = try Pack(ModelBytes(copying: mutant)).load()
    }
    #expect(outcome.valid == 0, "no changed pack is valid")
    return count
  }

  /// `pack` with another manifest, its table mended.
  private static func pack(_ pack: [UInt8], manifest: [UInt8]) -> [UInt8] {
    func integer(_ at: Int) -> Int { (0..<8).reduce(0) { $0 | Int(pack[at + $1]) << (8 * $1) } }
    let count = Int(pack[8])
    var contents = [manifest]
    for i in 1..<count { contents.append(Array(pack[integer(48 + 48 * i)...].prefix(integer(56 + 48 * i)))) }
    var header = Array(pack[..<16])
    var body: [UInt8] = []
    let start = 16 + 48 * count
    for content in contents {
      body += [UInt8](repeating: 0, count: -(start + body.count) & 63)
      header += Digest<ModelManifest>(of: content).bytes
      header += UInt64(start + body.count).littleEndianBytes + UInt64(content.count).littleEndianBytes
      body += content
    }
    return header + body
  }
}
