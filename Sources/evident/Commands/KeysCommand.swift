import ArgumentParser
import Digests
import Node
import Receipts

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Shows this node's public key; makes the key first if there is none.")

  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let settings = try await Settings()
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
}
