import Digests
import ModelFiles
import ModelGraph
import Testing

/// Damaged GGUF files of every kind: each is refused with a typed error or is still a valid model; none traps.
/// A trap would end the test process.
@Suite(.serialized) struct GGUFMutationTests {
  private func open(_ path: String) throws {
    var weights: [UInt8] = []
    let manifest = try HuggingFaceImporter(directory: path, options: ImportOptions(threads: 2))
      .convert { weights += $0 }
    // What an import yields must load.
    _ = try ModelImage(manifest: ModelManifest(bytes: manifest.canonicalBytes), weights: ModelBytes(copying: weights))
  }

  /// Imports mutants of `bytes` under `name`, with the files of `folder` beside it.
  private func importMutated(
    _ kind: String, _ bytes: [UInt8], name: String = "m.gguf", in folder: TemporaryFolder = TemporaryFolder(),
    count: Int
  ) -> MutationRun.Outcome {
    MutationRun.run(kind, count: count) { generator in
      try open(folder.write(Mutation.random(of: bytes, using: &generator), name))
    }
  }

  /// Reads a mutant's header, metadata and tensors without importing it: of families that may not be
  /// importable here, and of vocabularies.
  private func readMutated(_ kind: String, _ bytes: [UInt8], count: Int) -> MutationRun.Outcome {
    let folder = TemporaryFolder()
    return MutationRun.run(kind, count: count) { generator in
      let parts = try GGUFParts(path: folder.write(Mutation.random(of: bytes, using: &generator), "m.gguf"))
      for tensor in try GGUFTranslation(parts, vocabulary: GGUFVocabulary.source(parts.metadata)).tensors {
        var row = [Float](repeating: 0, count: tensor.columns)
        for r in 0..<tensor.rowCount { row.withUnsafeMutableBufferPointer { tensor.readRow(r, into: $0) } }
      }
    }
  }

  @Test func corpus() throws {
    let before = MutationRun.peakKibibytes
    var total = 0
    for (kind, bytes, count) in [
      ("gguf", GGUFBuilder().bytes(), 300), ("gguf formats", Fixtures.bytes("gguf/formats.gguf"), 60),
      ("gguf fixture", Fixtures.bytes("gguf/tiny-llama.gguf"), 120),
    ] {
      let outcome = importMutated(kind, bytes, count: count)
      #expect(outcome.refused > count / 20, "\(kind): mutations should mostly be noticed")
      total += count
    }
    let parts = TemporaryFolder()
    let names = (1...3).map { "tiny-llama-0000\($0)-of-00003.gguf" }
    for name in names { parts.write(Fixtures.bytes("gguf/" + name), name) }
    for name in names {
      _ = importMutated("gguf part \(name)", Fixtures.bytes("gguf/" + name), name: name, in: parts, count: 40)
      parts.write(Fixtures.bytes("gguf/" + name), name)
      total += 40
    }
    for name in GGUFArchitectureTests.names {
      _ = readMutated("gguf \(name)", Fixtures.bytes("gguf/architectures/\(name)/model.gguf"), count: 20)
      total += 20
    }
    total += headers(count: 150)
    let grown = MutationRun.peakKibibytes - before
    print("GGUFMutationTests: \(total) files, peak memory grew by \(grown / 1024) MiB")
    #expect(total >= 700)
    #expect(grown < 512 << 10)
  }

  /// Absurd numbers exactly where the header has numbers, where random bytes seldom hit.
  private func headers(count: Int) -> Int {
    let folder = TemporaryFolder()
    let absurd: [UInt64] = [.max, 1 << 63, 1 << 62, 1 << 40, 1 << 32, 1 << 31, 1 << 24, 1 << 20, 3, 0]
    let outcome = MutationRun.run("gguf header numbers", count: count) { generator in
      var b = GGUFBuilder()
      let number = absurd.randomElement(using: &generator)!
      let value = Int.random(in: 0..<b.values.count, using: &generator)
      let tensor = Int.random(in: 0..<b.tensors.count, using: &generator)
      switch Int.random(in: 0..<9, using: &generator) {
      case 0: b.tensorCount = number
      case 1: b.keyCount = number
      case 2: b.values[value].value = .raw(8, number.littleEndianBytes)
      case 3: b.values[value].value = .array(UInt32.random(in: 0...13, using: &generator), number, [0, 1, 2, 3])
      case 4: b.values[value].value = .u64(number)
      case 5: b.tensors[tensor].offset = number
      case 6: b.tensors[tensor].extents[0] = number
      case 7: b.tensors[tensor].type = UInt32.random(in: 0...50, using: &generator)
      default: b.values[value].value = .raw(UInt32.random(in: 0...20, using: &generator), number.littleEndianBytes)
      }
      try open(folder.write(b.bytes(), "m.gguf"))
    }
    #expect(outcome.refused > count / 2)
    return count
  }
}
