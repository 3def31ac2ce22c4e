import ArgumentParser
import Digests
import ModelSigning
import Node
import Receipts
import Transparency

struct ShowKeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows the node's public key and its history, or your model signing key.",
    discussion: "A key that does not exist yet is made first.")

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
    let key = try NodeKey.loadOrCreate(path: settings.nodeKeyFile)
    let items = try KeyHistoryFolder(path: settings.keyHistoryFolder).items()
    let publicKey = key.signing.publicKey
    if json {
      print(
        ([
          "publicKey": .string(publicKey.hex), "keyID": .string(publicKey.id.hex), "path": .string(key.path),
          "history": .array(
            items.map {
              [
                "statement": $0.signed.entry.json, "entry": .string($0.entryPath),
                "leafHash": .string(Hex.string($0.signed.envelope.leafHash.bytes)), "logged": .bool($0.log != nil),
              ]
            }),
        ] as JSON).text())
    } else {
      print("public key  \(publicKey.hex)")
      print("key id      \(publicKey.id.hex)")
      print("file        \(key.path)")
      for item in items {
        let entry = Terminal.printableLine(item.signed.entry.text)
        print("history     \(entry) (\(item.log == nil ? "not logged" : "logged"))")
      }
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

extension NodeStatement {
  /// The statement.
  var json: JSON {
    switch self {
    case .claim(.answer(let statement)): statement.json
    case .claim(.embedding(let statement)): statement.json
    case .succession(let succession): succession.json
    case .revocation(let revocation): revocation.json
    }
  }

  /// In few words, among them what others have written.
  var text: String {
    switch self {
    case .claim(let claim): "a statement about \(claim.responseID)"
    case .succession(let succession): "\(succession.from) named \(succession.to) at \(succession.time)"
    case .revocation(let revocation):
      "\(revocation.key) is revoked from \(revocation.from) on"
        + (revocation.reason.isEmpty ? "" : ": \(revocation.reason)")
    }
  }
}
