import Digests
import Foundation
import ModelFiles
import ModelGraph
import Testing

/// The store with several processes at work, and with processes that are killed.
@Suite(.serialized) struct ModelStoreProcessTests {
  let folder = TemporaryFolder()
  var store: ModelStore { ModelStore(root: folder.path + "/models") }

  private func start(_ arguments: String...) throws -> Process {
    let process = Process()
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let beside = URL(fileURLWithPath: own).deletingLastPathComponent()
    process.executableURL = beside.appendingPathComponent("model-store-helper")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// A directory whose import takes long enough to be hit in the middle.
  private func directory(seed: UInt64, hidden: Int = 128) -> TemporaryFolder {
    ModelDirectory(
      hidden: hidden, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 32, intermediate: 4 * hidden,
      vocabulary: 512, seed: seed
    ).write()
  }

  private func temporaries() -> [String] {
    ["blobs", "manifests", "tags"].flatMap { place in
      ((try? FileManager.default.contentsOfDirectory(atPath: "\(store.root)/\(place)")) ?? []).filter {
        $0.hasPrefix(".")
      }
    }
  }

  @Test func twoImportAtOnce() throws {
    let (first, second) = (directory(seed: 1, hidden: 64), directory(seed: 2, hidden: 64))
    for round in 0..<6 {
      let processes = try [first, second, first].enumerated().map { i, source in
        // The same model under the same name, the same name for two models, and different names.
        try start("import", store.root, source.path, round % 2 == 0 ? "shared" : "model-\(i)")
      }
      for process in processes {
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      }
      #expect(try store.verify().filter { $0.problem != nil } == [])
      #expect(temporaries() == [])
      if round % 3 == 2 {
        for model in try store.list() where model.origin == .store { try store.remove(model.digest.hex) }
        #expect(try store.verify().isEmpty)
      }
    }
  }

  @Test func killedAtAnyInstant() throws {
    var (seed, generator) = SeededGenerator.announced("ModelStoreProcessTests.killedAtAnyInstant")
    let sources = [directory(seed: 1), directory(seed: 2)]
    // Present from the start, and never to be harmed.
    let kept = try store.importModel(directory: ModelDirectory(seed: 9).write().path, as: ModelName("kept"))
    let clock = ContinuousClock()
    let whole = try clock.measure { try start("import", store.root, sources[0].path, "probe").waitUntilExit() }
    try store.remove("probe")
    var (killed, finished, visible) = (0, 0, 0)
    var round = -1
    while killed < 30 && round < 200 {
      round += 1
      let source = sources[round % 2]
      // Every fourth round kills a removal.
      let removing = round % 4 == 3
      if removing { try store.importModel(directory: source.path, as: ModelName("target")) }
      let process =
        removing ? try start("remove", store.root, "target") : try start("import", store.root, source.path, "target")
      let share = Double.random(in: 0...1.3, using: &generator) * (removing ? 0.5 : 1)
      Thread.sleep(forTimeInterval: share * Double(whole.components.attoseconds) * 1e-18)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { killed += 1 } else { finished += 1 }

      // Opening sweeps; nothing half-written is visible, and what is visible loads.
      let reopened = store
      #expect(temporaries() == [], "seed \(seed), round \(round)")
      #expect(try reopened.verify().filter { $0.problem != nil } == [], "seed \(seed), round \(round)")
      #expect(try reopened.open("kept").digest == kept)
      if try reopened.list().contains(where: { $0.names == ["target"] }) {
        visible += 1
        _ = try reopened.open("target")
        if round % 5 == 4 { try reopened.remove("target") }
      }
    }
    print(
      "killedAtAnyInstant: import takes \(whole), \(killed) killed, \(finished) finished first, \(visible) times visible"
    )
    #expect(killed >= 20)
    #expect(try store.importModel(directory: sources[0].path, as: ModelName("target")) == store.open("target").digest)
  }
}
