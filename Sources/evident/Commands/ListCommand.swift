import ArgumentParser
import Digests
import ModelFiles
import ModelGraph

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the models on this machine.")

  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let store = ModelStore(root: try await Settings().modelsFolder)
    let models = try store.list().map { (listing: $0, provenance: store.provenance(of: $0.digest)) }
    if json {
      print(JSON.array(models.map { ListCommand.json($0.listing, $0.provenance) }).text())
      return
    }
    let width = models.flatMap(\.listing.names).map(\.count).max() ?? 4
    print(
      "NAME".padded(width), "DIGEST".padded(12), "SIZE".padded(9), "PARAMETERS", "WEIGHTS".padded(7),
      "ARCHITECTURE".padded(12), "IMPORTED", separator: "  ")
    for (model, provenance) in models {
      let summary = model.manifest.map(ModelSummary.init)
      let imported =
        model.origin == .embedded ? "built in" : provenance.map { String($0.importedText.prefix(10)) } ?? "-"
      for name in model.names.isEmpty ? ["-"] : model.names {
        print(
          name.padded(width), String(model.digest.hex.prefix(12)), Terminal.bytes(model.bytes).padded(9),
          (summary.map { ModelSummary.count($0.parameters) } ?? "").padded(10),
          (summary?.quantisation ?? "").padded(7),
          (model.problem.map { "unreadable: \($0)" } ?? model.manifest?.architecture ?? "").padded(12), imported,
          separator: "  ")
      }
    }
  }

  private static func json(_ model: ModelListing, _ provenance: ModelProvenance?) -> JSON {
    let summary = model.manifest.map { ModelSummary($0).json }
    return [
      "digest": .string(model.digest.description), "names": .array(model.names.map { .string($0) }),
      "bytes": .integer(model.bytes), "embedded": .bool(model.origin == .embedded),
      "architecture": model.manifest.map { .string($0.architecture) } ?? .null,
      "parameters": summary?["parameters"] ?? .null, "quantisation": summary?["quantisation"] ?? .null,
      "imported": provenance.map { .string($0.importedText) } ?? .null,
      "licence": provenance?.licence.map { .string($0) } ?? .null,
      "source": provenance.map { .string($0.sourceText) } ?? .null,
      "problem": model.problem.map { .string($0) } ?? .null,
    ]
  }
}

extension String {
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
