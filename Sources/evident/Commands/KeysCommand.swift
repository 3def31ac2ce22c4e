import ArgumentParser
import Digests
import ModelSigning
import Node
import Receipts

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Shows this node's public key, or your model signing key; makes it first if needed.",
    discussion: """
      The node key signs answers. The model signing key signs what `evident
      publish` writes; give others its public half:

        evident keys --model-signing > my-key.pem
      """)

  @Flag(help: "Show the public half of the model signing key, in PEM.") var modelSigning = false
  @Option(
    help: ArgumentHelp("With --model-signing: this private key instead of your own.", valueName: "file"),
    completion: .file())
  var key: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard key == nil || modelSigning else { throw ValidationError("--key belongs to --model-signing") }
  }

  func run() async throws {
    let settings = try await Settings()
    if modelSigning {
      let file =
        try key.map { path in try SigningKeyFile.load(path: path) }
        ?? SigningKeyFile.loadOrCreate(path: settings.modelSigningKeyFile)
      showModelSigningKey(file)
      return
    }
    let key = try NodeKey.loadOrCreate(path: settings.stateFolder + "/node.key")
    let publicKey = key.signing.publicKey
    if json {
      print(
        (["publicKey": .string(publicKey.hex), "keyID": .string(publicKey.id.hex), "path": .string(key.path)] as JSON)
          .text())
    } else {
      print("public key  \(publicKey.hex)")
      print("key id      \(publicKey.id.hex)")
      print("file        \(key.path)")
    }
  }

  private func showModelSigningKey(_ file: SigningKeyFile) {
    let publicKey = file.key.publicKey
    if json {
      print(
        ([
          "publicKey": .string(publicKey.pem), "fingerprint": .string(publicKey.fingerprint),
          "curve": .string(publicKey.curveName), "path": .string(file.path),
        ] as JSON).text())
    } else {
      // Stdout holds the key and nothing else, so that it can go into a file.
      print(publicKey.pem, terminator: "")
      Terminal.note("fingerprint  \(publicKey.fingerprint)\nfile         \(file.path)")
    }
  }
}
