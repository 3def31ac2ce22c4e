import ArgumentParser
import Digests
import ModelFiles
import ModelGraph

struct RemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm",
    abstract: "Removes models' names, and a model when no other name is left.",
    discussion: "With --downloads it also removes what interrupted pulls have left.")

  @Argument(help: "Names, or digests or their beginnings.") var models: [String] = []
  @Flag(help: "Remove what interrupted pulls have left.") var downloads = false
  @Flag(help: "Print one JSON object per model.") var json = false

  func validate() throws {
    guard downloads || !models.isEmpty else { throw ValidationError("name a model, or give --downloads") }
  }

  func run() async throws {
    let store = ModelStore(root: try await Settings().modelsFolder)
    // Nothing is removed when one of them is a mistake.
    for model in models {
      if case .embedded = try store.resolve(model) { throw StoreRejection.embedded(model) }
    }
    var seen: Set<String> = []
    for model in models where seen.insert(model).inserted { report(try store.remove(model)) }
    guard downloads else { return }
    let bytes = try store.removeDownloads()
    if json {
      print((["downloads": true, "bytes": .integer(bytes)] as JSON).text())
    } else {
      print("removed downloads; \(Terminal.bytes(bytes)) freed")
    }
  }

  private func report(_ removed: ModelRemoval) {
    if json {
      print(
        ([
          "names": .array(removed.names.map { .string($0) }),
          "digest": removed.digest.map { .string($0.description) } ?? .null, "bytes": .integer(removed.bytes),
        ] as JSON).text())
      return
    }
    let what = removed.names.isEmpty ? removed.digest?.description ?? "" : removed.names.joined(separator: ", ")
    print(
      "removed \(what); \(Terminal.bytes(removed.bytes)) freed"
        + (removed.digest == nil ? ", other names are left" : ""))
  }
}
