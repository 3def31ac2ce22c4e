import ArgumentParser
import Digests
import ModelFiles
import ModelGraph

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows what a model is: shape, weights, licence, digests, source.",
    discussion: """
      Source and licence are what this machine remembers of the import; nobody
      vouches for them. Everything else is in the model's manifest, whose SHA-256 is
      the model's digest.
      """)

  @Argument(help: "A name, a digest or its beginning, or a .pack file.") var model = EmbeddedModel.name
  @Flag(help: "Print JSON: the manifest's members, and under \"about\" what else is known.") var json = false
  @Flag(help: "Print the manifest, byte for byte what the digest is of.") var manifest = false

  func validate() throws {
    guard !(json && manifest) else { throw ValidationError("choose one of --json and --manifest") }
  }

  func run() async throws {
    let store = ModelStore(root: try await Settings().modelsFolder)
    let loaded = try store.open(model)
    if manifest {
      Terminal.write(String(decoding: loaded.manifestBytes, as: UTF8.self))
      return
    }
    let names = try store.list().first { $0.digest == loaded.digest }?.names ?? []
    let (provenance, signature) = (store.provenance(of: loaded.digest), store.signature(of: loaded.digest))
    if json {
      var object = try JSON.parse(loaded.manifestBytes).object ?? JSONObject()
      object["about"] = about(loaded, names, provenance, signature)
      print(JSON.object(object).text())
    } else {
      show(loaded, names, provenance, signature)
    }
  }

  private func about(
    _ loaded: LoadedModel, _ names: [String], _ provenance: ModelProvenance?, _ signature: ModelSignatureRecord?
  ) -> JSON {
    var object = ModelSummary(loaded.manifest).json.object ?? JSONObject()
    object["digest"] = .string(loaded.digest.description)
    object["names"] = .array(names.map { .string($0) })
    object["contextLength"] = .integer(loaded.manifest.config.contextLength)
    object["licence"] = provenance?.licence.map { .string($0) } ?? .null
    object["provenance"] = provenance?.json ?? .null
    object["signature"] =
      signature.map { ["signer": .string($0.signer), "fingerprint": .string($0.fingerprint)] } ?? .null
    return .object(object)
  }

  private func show(
    _ loaded: LoadedModel, _ names: [String], _ provenance: ModelProvenance?, _ signature: ModelSignatureRecord?
  ) {
    let (manifest, c) = (loaded.manifest, loaded.manifest.config)
    let summary = ModelSummary(manifest)
    let isEmbedded = names.first == EmbeddedModel.name
    var rows: [(String, String)] = [
      ("names", names.isEmpty ? "none" : names.joined(separator: ", ")), ("digest", loaded.digest.description),
      ("architecture", manifest.architecture), ("arithmetic", ModelManifest.arithmetic),
      ("parameters", "\(ModelSummary.count(summary.parameters)) (\(summary.parameters))"),
      ("weights", "\(Terminal.bytes(manifest.blobs.weights.bytes)): \(summary.quantisationShares)"),
      ("context", "\(c.contextLength) tokens"),
      (
        "shape",
        "\(c.layers) layers, hidden \(c.hiddenSize), heads \(c.heads)/\(c.keyValueHeads) × \(c.headDimension), MLP \(c.intermediateSize)"
      ),
      ("vocabulary", "\(c.vocabularySize)\(c.tiedEmbeddings ? ", tied" : "")"),
      ("chat", manifest.blobs.chatTemplate == nil ? "no template" : "template \(manifest.blobs.chatTemplate!.digest)"),
      ("tokenizer", manifest.blobs.tokenizer.digest.description),
      ("licence", provenance?.licence ?? (isEmbedded ? "apache-2.0" : "not stated")),
      ("pulled from", provenance?.sourceText ?? (isEmbedded ? "built in" : "not recorded")),
    ]
    if let provenance { rows.append(("imported", provenance.importedText)) }
    if let signature { rows.append(("signed by", "\(signature.signer)  \(signature.fingerprint)")) }
    for (name, value) in rows { print(name.padded(13) + value) }
    for file in manifest.source.files {
      print("source".padded(13) + "\(file.name)  \(Terminal.bytes(file.bytes))  \(file.digest)")
    }
  }
}
