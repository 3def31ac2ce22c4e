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
      Everything is on disk when this returns. Stopped at any instant, it goes on
      with the same new key when it is run again. The old key is kept beside the
      new one. A server that is running signs with the old key until it is started
      again. The entry belongs in the log that the node's receipts promise; evident
      serve brings it there.
      """)
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let settings = try await Settings()
    let history = KeyHistoryFolder(path: settings.keyHistoryFolder)
    let now = Int64(Date().timeIntervalSince1970)
    let current = try NodeKey.loadOrCreate(path: settings.nodeKeyFile).signing.publicKey
    if let ended = try history.revocation(of: current), UTCTime.seconds(ended.from).map({ $0 <= now }) ?? true {
      throw CommandFailure(
        "the node's key \(current) is revoked from \(ended.from) on: what it signs now, a succession too, is not believed",
        hint: "to begin with a key that succeeds none, move \(settings.nodeKeyFile) and \(history.path) away")
    }
    let rotation = try NodeKey.rotate(path: settings.nodeKeyFile, history: history, time: UTCTime.text(now))
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
      Terminal.note("a server that is running signs with the old key until it is started again")
    }
  }
}

extension KeyHistoryFolder {
  /// The revocation of a key that takes effect first.
  func revocation(of key: NodePublicKey) throws -> KeyRevocation? {
    try items().compactMap { item -> KeyRevocation? in
      guard case .revocation(let revocation) = item.signed.entry, revocation.key == key else { return nil }
      return revocation
    }.min { $0.from < $1.from }
  }
}
