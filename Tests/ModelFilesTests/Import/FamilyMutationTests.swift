import Digests
import ModelFiles
import ModelGraph
import Testing

/// Damaged configurations and weights of every family: refused with a typed error, or still a valid model.
@Suite(.serialized) struct FamilyMutationTests {
  private func convert(_ folder: TemporaryFolder, _ weights: WeightFormat) throws {
    var bytes: [UInt8] = []
    let manifest = try HuggingFaceImporter(
      directory: folder.path, options: ImportOptions(threads: 2, weights: weights)
    ).convert { bytes += $0 }
    // What an import yields must load.
    _ = try ModelImage(manifest: ModelManifest(bytes: manifest.canonicalBytes), weights: ModelBytes(copying: bytes))
  }

  @Test(arguments: ArchitectureFixture.decoders + ArchitectureFixture.encoders)
  func corpus(_ name: String) throws {
    let before = MutationRun.peakKibibytes
    let copy = CheckpointCopy(name)
    let folder = copy.write()
    // Values of the configuration, so that it is still one.
    let config = copy.config
    let outcome = MutationRun.run("\(name) configuration", count: 60) { generator in
      folder.write(Array(Mutation.value(of: config, using: &generator).text().utf8), "config.json")
      try convert(folder, .fourBit)
    }
    #expect(outcome.refused > 0)
    folder.write(copy.files["config.json"]!, "config.json")
    for file in ["config.json", "model.safetensors"] + (name.hasPrefix("bert") ? SentenceFiles.names : []) {
      let original = copy.files[file]!
      let outcome = MutationRun.run("\(name) \(file)", count: 12) { generator in
        folder.write(Mutation.random(of: original, using: &generator), file)
        try convert(folder, .automatic)
      }
      #expect(outcome.refused > 0)
      folder.write(original, file)
    }
    #expect(MutationRun.peakKibibytes - before < 512 << 10)
  }

  private enum SentenceFiles {
    static let names = ["modules.json", "1_Pooling/config.json"]
  }
}
