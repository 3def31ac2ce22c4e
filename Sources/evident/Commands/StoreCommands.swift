import ArgumentParser
import Digests
import ModelFiles
import ModelGraph

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the models on this machine.")

  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let models = try ModelStore(root: try await Settings().modelsFolder).list()
    if json {
      print(JSON.array(models.map(ListCommand.json)).text())
      return
    }
    let width = models.flatMap(\.names).map(\.count).max() ?? 4
    print("NAME".padded(width), "DIGEST".padded(12), "SIZE".padded(9), "ARCHITECTURE", separator: "  ")
    for model in models {
      for name in model.names.isEmpty ? ["-"] : model.names {
        print(
          name.padded(width), String(model.digest.hex.prefix(12)), Terminal.bytes(model.bytes).padded(9),
          model.problem.map { "unreadable: \($0)" } ?? model.manifest?.architecture ?? "", separator: "  ")
      }
    }
  }

  private static func json(_ model: ModelListing) -> JSON {
    [
      "digest": .string(model.digest.description), "names": .array(model.names.map { .string($0) }),
      "bytes": .integer(model.bytes), "embedded": .bool(model.origin == .embedded),
      "architecture": model.manifest.map { .string($0.architecture) } ?? .null,
      "problem": model.problem.map { .string($0) } ?? .null,
    ]
  }
}

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows what a model is: shape, digests, and what it was made from.")

  @Argument(help: "A name, a digest or its beginning, or a .pack file.") var model = EmbeddedModel.name
  @Flag(help: "Print the manifest as JSON.") var json = false

  func run() async throws {
    let store = ModelStore(root: try await Settings().modelsFolder)
    let loaded = try store.open(model)
    if json {
      print(String(decoding: loaded.manifestBytes, as: UTF8.self))
      return
    }
    let (manifest, c) = (loaded.manifest, loaded.manifest.config)
    let parameters = manifest.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    var rows: [(String, String)] = [
      ("digest", loaded.digest.description), ("architecture", manifest.architecture),
      ("arithmetic", ModelManifest.arithmetic), ("parameters", "\(parameters)"),
      ("weights", "\(Terminal.bytes(manifest.blobs.weights.bytes)), int8 per output channel"),
      ("context", "\(c.contextLength) tokens"),
      (
        "shape",
        "\(c.layers) layers, hidden \(c.hiddenSize), heads \(c.heads)/\(c.keyValueHeads) × \(c.headDimension), MLP \(c.intermediateSize)"
      ),
      ("vocabulary", "\(c.vocabularySize)\(c.tiedEmbeddings ? ", tied" : "")"),
      ("chat", manifest.blobs.chatTemplate == nil ? "no template" : "template \(manifest.blobs.chatTemplate!.digest)"),
      ("tokenizer", manifest.blobs.tokenizer.digest.description),
    ]
    let signature = store.signature(of: loaded.digest)
    if let signature { rows.append(("signed by", "\(signature.signer)  \(signature.fingerprint)")) }
    for (name, value) in rows { print(name.padded(13) + value) }
    for file in manifest.source.files {
      print("source".padded(13) + "\(file.name)  \(Terminal.bytes(file.bytes))  \(file.digest)")
    }
  }
}

struct RemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Removes a model's name, and the model when no other name is left.")

  @Argument(help: "A name, or a digest or its beginning.") var model: String
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let removed = try ModelStore(root: try await Settings().modelsFolder).remove(model)
    if json {
      print(
        ([
          "names": .array(removed.names.map { .string($0) }),
          "digest": removed.digest.map { .string($0.description) } ?? .null, "bytes": .integer(removed.bytes),
        ] as JSON).text())
    } else {
      print("removed \(removed.names.joined(separator: ", ")); \(Terminal.bytes(removed.bytes)) freed")
    }
  }
}

extension String {
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
