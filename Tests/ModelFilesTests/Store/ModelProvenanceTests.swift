import Digests
import Foundation
import ModelFiles
import ModelGraph
import Testing

@Suite struct ModelProvenanceTests {
  let folder = TemporaryFolder()
  var store: ModelStore { ModelStore(root: folder.path + "/models") }

  private var pulled: ModelProvenance {
    ModelProvenance(
      importedAt: 1_764_000_000, licence: "mit",
      hub: .init(
        endpoint: "https://hub.example", repository: "org/Name", revision: "main", commit: "c0ffee",
        files: [.init(path: "config.json", identity: "git-sha1:00", bytes: 5)]))
  }

  private func add(_ name: String, seed: UInt64, _ provenance: ModelProvenance?) throws -> Digest<ModelManifest> {
    try store.importModel(
      directory: ModelDirectory(seed: seed).write().path, as: try ModelName(name), options: ImportOptions(threads: 1),
      provenance: provenance)
  }

  @Test func isKeptBesideTheModelAndGoesWithIt() throws {
    let digest = try add("m", seed: 1, pulled)
    #expect(store.provenance(of: digest) == pulled)
    // The same bytes without it are the same model.
    #expect(try add("n", seed: 1, nil) == digest)
    #expect(store.provenance(of: digest) == pulled)
    // A folder says less than a hub did.
    _ = try add("n", seed: 1, ModelProvenance(importedAt: 1, path: "/x"))
    #expect(store.provenance(of: digest) == pulled)
    let other = try add("o", seed: 2, ModelProvenance(importedAt: 1, path: "/x"))
    #expect(store.provenance(of: other)?.path == "/x" && store.provenance(of: other)?.licence == nil)
    try store.remove("m")
    #expect(store.provenance(of: digest) == pulled)
    try store.remove("n")
    #expect(store.provenance(of: digest) == nil)
    #expect(try store.verify().allSatisfy { $0.problem == nil })
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/provenance").count == 1)
  }

  @Test func aRepositoryStandsForWhatCameFromItLast() throws {
    let first = try add("m", seed: 1, pulled)
    var later = pulled
    later.importedAt += 1
    let second = try add("m2", seed: 2, later)
    #expect(try store.resolve("org/Name") == .stored(second) && first != second)
    #expect(throws: StoreRejection.notPulled("org/name")) { try store.resolve("org/name") }
    #expect(throws: StoreRejection.notPulled("a/b@main:Q8_0")) { try store.resolve("a/b@main:Q8_0") }
    for path in ["./a/b", "/a/b", "a/b/c", "../b", "a/", "~/b"] {
      #expect(throws: FileFailure.self, "\(path)") { try store.resolve(path) }
    }
    #expect(try store.remove("org/Name").names == ["m2"])
    #expect(try store.resolve("org/Name") == .stored(first))
  }

  /// Whoever can write to the store can write anything there; it then counts as not known.
  @Test func nonsenseIsIgnored() throws {
    let digest = try add("m", seed: 1, pulled)
    let file = "models/provenance/sha256-\(digest.hex).json"
    let good = folder.read(file)
    for content in ["", "{}", "[]", String(decoding: good, as: UTF8.self).replacing("\"main\"", with: "7")] {
      folder.write(Array(content.utf8), file)
      #expect(store.provenance(of: digest) == nil)
      #expect(try store.open("m").digest == digest)
    }
    folder.write([1], "models/provenance/sha256-\(String(repeating: "0", count: 64)).json")
    folder.write([1], "models/provenance/.incoming-0000000000000000")
    _ = store
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.root + "/provenance") == ["sha256-\(digest.hex).json"])
  }

  @Test func copies() throws {
    let digest = try add("m", seed: 1, pulled)
    #expect(try store.copy("m", to: ModelName("m:8bit")) == ModelNaming(digest: digest, previous: nil))
    #expect(try store.copy("org/Name", to: ModelName("again")).digest == digest)
    let other = try add("o", seed: 2, nil)
    #expect(try store.copy(other.hex, to: ModelName("again")) == ModelNaming(digest: other, previous: digest))
    #expect(throws: StoreRejection.self) { try store.copy("nothing", to: ModelName("x")) }
    #expect(throws: StoreRejection.reservedName("evident-tiny")) { try store.copy("m", to: ModelName("evident-tiny")) }
    #expect(try store.model(named: ModelName("again")) == other && store.model(named: ModelName("free")) == nil)
    try store.remove("m")
    #expect(try store.open("m:8bit").digest == digest && store.verify().allSatisfy { $0.problem == nil })
    // Only what is asked for is checked.
    let subjects = try store.verify(models: [digest]).map(\.subject)
    #expect(subjects.contains("manifests/sha256-\(digest.hex).json") && subjects.contains("tags/m:8bit"))
    #expect(!subjects.contains { $0.contains(other.hex) } && !subjects.contains("tags/again"))
  }

  @Test func anImportCanBeCancelled() async throws {
    let (folder, root) = (ModelDirectory(seed: 1).write(), self.folder.path + "/models")
    let task = Task {
      try await Task.sleep(for: .zero)
      withUnsafeCurrentTask { $0?.cancel() }
      return try ModelStore(root: root).importModel(directory: folder.path, as: ModelName("m"))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try store.list().count == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/blobs").isEmpty)
  }
}
