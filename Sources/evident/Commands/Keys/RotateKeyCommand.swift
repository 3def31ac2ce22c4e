import ArgumentParser
import Digests
import Foundation
import Node
import Receipts
import Transparency

struct RotateKeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Makes a new node key; the old one names it as its successor.",
    discussion: """
      Everything is on disk when this returns. Stopped at any instant, it goes on with the same new key when it
      is run again. The old key is kept beside the new one. A server that is running signs with the old key
      until it is restarted. The entry belongs in the log that the node's receipts promise.
      """)
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let settings = try await Settings()
    let rotation = try NodeKey.rotate(
      path: settings.nodeKeyFile, history: KeyHistoryFolder(path: settings.keyHistoryFolder),
      time: UTCTime.text(Int64(Date().timeIntervalSince1970)))
    if json {
      print(
        ([
          "publicKey": .string(rotation.current.hex), "previousKey": .string(rotation.previous.hex),
          "previousKeyPath": .string(rotation.previousPath), "entry": .string(rotation.entry.entryPath),
          "leafHash": .string(Hex.string(rotation.entry.signed.envelope.leafHash.bytes)),
        ] as JSON).text())
    } else {
      print("public key  \(rotation.current)")
      print("succeeds    \(rotation.previous)")
      print("old key     \(rotation.previousPath)")
      print("entry       \(rotation.entry.entryPath)")
    }
  }
}
