import Digests
import Foundation
import ModelFiles
import ModelGraph
import Testing

@Suite struct ModelStoreTests {
  let folder = TemporaryFolder()
  var store: ModelStore { ModelStore(root: folder.path + "/models") }

  private func add(_ name: String?, seed: UInt64) throws -> Digest<ModelManifest> {
    try store.importModel(
      directory: ModelDirectory(seed: seed).write().path, as: try name.map { try ModelName($0) },
      options: ImportOptions(threads: 1))
  }

  private func problems() throws -> [StoreFinding] { try store.verify().filter { $0.problem != nil } }

  @Test func placesComeFromTheEnvironment() {
    #expect(ModelStore.defaultRoot(environment: ["EVIDENT_MODELS": "/m", "HOME": "/h"]) == "/m")
    #expect(ModelStore.defaultRoot(environment: ["XDG_DATA_HOME": "/x", "HOME": "/h"]) == "/x/evident/models")
    // The XDG specification ignores relative paths.
    #expect(
      ModelStore.defaultRoot(environment: ["XDG_DATA_HOME": "x", "HOME": "/h"]) == "/h/.local/share/evident/models")
    #expect(
      ModelStore.defaultRoot(environment: ["EVIDENT_MODELS": "", "HOME": "/h"]) == "/h/.local/share/evident/models")
  }

  @Test func anEmptyStoreHasTheEmbeddedModel() throws {
    #expect(try store.list().map(\.names) == [["evident-tiny"]])
    #expect(try store.open("evident-tiny").digest == EmbeddedModel.load().digest)
    #expect(try store.resolve(EmbeddedModel.load().digest.hex) == .embedded)
    #expect(try store.resolve(String(EmbeddedModel.load().digest.description.prefix(20))) == .embedded)
    #expect(try store.verify().isEmpty)
    // Looking creates nothing.
    #expect(folder.names == [])
    #expect(throws: StoreRejection.embedded("evident-tiny")) { try store.remove("evident-tiny") }
    #expect(throws: StoreRejection.reservedName("evident-tiny")) { try add("evident-tiny", seed: 1) }
  }

  @Test func importOpenRemove() throws {
    let a = try add("alpha", seed: 1)
    let b = try add("beta:small", seed: 2)
    #expect(a != b)
    #expect(try store.list().map(\.names) == [["evident-tiny"], ["alpha"], ["beta:small"]])
    #expect(try store.open("alpha").digest == a && store.open(b.description).digest == b)
    #expect(try store.resolve(String(a.hex.prefix(6))) == .stored(a))
    #expect(try store.open("alpha").image.weights.array == importedWeights(seed: 1))
    #expect(try problems() == [])

    // Both models share tokenizer and template, which stay as long as one of them needs them.
    let removal = try store.remove("alpha")
    #expect(removal.names == ["alpha"] && removal.digest == a && removal.blobs == 1)
    #expect(throws: StoreRejection.unknownModel("alpha", known: ["evident-tiny", "beta:small"])) {
      try store.open("alpha")
    }
    #expect(try store.open("beta:small").digest == b)
    #expect(try problems() == [])
    #expect(try store.remove(b.hex).blobs == 3)
    #expect(try store.list().count == 1 && store.verify().isEmpty)
  }

  private func importedWeights(seed: UInt64) throws -> [UInt8] {
    var weights: [UInt8] = []
    _ = try HuggingFaceImporter(directory: ModelDirectory(seed: seed).write().path).convert { weights += $0 }
    return weights
  }

  @Test func namesMove() throws {
    let a = try add("model", seed: 1)
    #expect(try add("copy", seed: 1) == a)
    let b = try add("model", seed: 2)
    #expect(try store.open("model").digest == b && store.open("copy").digest == a)
    // A name of several only loses the name.
    #expect(try add("second", seed: 1) == a)
    let removal = try store.remove("copy")
    #expect(removal.names == ["copy"] && removal.digest == nil && removal.blobs == 0)
    #expect(try store.open(a.hex).digest == a)
    // Without any name a model is still listed, by its digest.
    let c = try add(nil, seed: 3)
    #expect(try store.list().last?.digest == c && store.list().last?.names == [])
    #expect(try Set(store.remove(a.hex).names) == ["second"])
    #expect(try problems() == [])
  }

  @Test func pathsAndMistakes() throws {
    let directory = ModelDirectory().write()
    try Pack.importPack(directory: directory.path, to: folder.path + "/m.pack")
    let packed = try store.open(folder.path + "/m.pack")
    try store.add(packed, as: ModelName("packed"))
    #expect(try store.open("packed").digest == packed.digest)
    #expect(throws: StoreRejection.directory(directory.path)) { try store.open(directory.path) }
    #expect(throws: StoreRejection.directory(".")) { try store.open(".") }
    #expect(throws: FileFailure.self) { try store.open("./nothing") }
    #expect(throws: FileFailure.self) { try store.open("nothing.pack") }
    #expect(throws: PackRejection.notAPack) { try store.open(folder.write([1, 2, 3], "x.pack")) }
    #expect(throws: StoreRejection.self) { try store.open("No Such Name") }
    #expect(throws: StoreRejection.self) { try store.open("sha256:zz") }
    #expect(throws: StoreRejection.self) { try store.open("") }
    #expect(throws: StoreRejection.self) { try store.open("00000000") }
  }

  @Test func damageIsFoundAndMended() throws {
    let digest = try add("model", seed: 1)
    let manifest = try store.open("model").manifest
    for (file, count) in [
      ("blobs/sha256-\(manifest.blobs.weights.digest.hex)", manifest.blobs.weights.bytes),
      ("blobs/sha256-\(manifest.blobs.tokenizer.digest.hex)", manifest.blobs.tokenizer.bytes),
      ("manifests/sha256-\(digest.hex).json", try store.open("model").manifestBytes.count),
    ] {
      var bytes = folder.read("models/" + file)
      #expect(bytes.count == count)
      bytes[count / 2] ^= 1
      folder.write(bytes, "models/" + file)
      #expect(throws: LoadRejection.self, "\(file)") { try store.open("model") }
      #expect(try problems().map(\.subject).contains(file))
      folder.write(Array(bytes.dropLast()), "models/" + file)
      #expect(throws: LoadRejection.self, "\(file)") { try store.open("model", checkingDigests: false) }
      #expect(try problems().map(\.subject).contains(file))
      // Importing again replaces what is damaged.
      #expect(try add("model", seed: 1) == digest)
      #expect(try problems() == [] && store.open("model").digest == digest)
    }
    folder.write(Array("nonsense".utf8), "models/tags/model")
    folder.write([], "models/tags/Not-A-Name")
    folder.write([7], "models/blobs/sha256-00")
    folder.write([7], "models/manifests/readme.txt")
    #expect(
      Set(try problems().map(\.subject)) == [
        "tags/model", "tags/Not-A-Name", "blobs/sha256-00", "manifests/readme.txt",
      ])
    #expect(throws: StoreRejection.self) { try store.open("model") }
    #expect(try store.open(digest.hex).digest == digest)
  }

  @Test func leftoversAreSwept() throws {
    let digest = try add("model", seed: 1)
    // As after a crash between the renames: a complete blob that no manifest names, and a temporary manifest.
    let orphan = "sha256-" + String(repeating: "0", count: 64)
    folder.write([1], "models/blobs/" + orphan)
    folder.write([1], "models/manifests/.incoming-0000000000000000")
    folder.write([1], "models/blobs/.incoming-1111111111111111")
    _ = store
    #expect(try problems() == [])
    for place in ["blobs", "manifests", "tags"] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/models/" + place)
      #expect(!names.contains { $0.hasPrefix(".") || $0 == orphan })
    }
    #expect(try store.open("model").digest == digest)
  }

  @Test func theLivingAreNotSwept() throws {
    _ = try add("model", seed: 1)
    let path = folder.write([1], "models/blobs/.incoming-2222222222222222")
    let descriptor = open(path, O_RDWR)
    #expect(flock(descriptor, LOCK_EX) == 0)
    _ = store
    #expect(FileManager.default.fileExists(atPath: path))
    close(descriptor)
    _ = store
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func anOpenModelSurvivesItsRemoval() throws {
    _ = try add("model", seed: 1)
    let model = try store.open("model")
    try store.remove("model")
    #expect(try model.image.weights.array == importedWeights(seed: 1))
  }
}
