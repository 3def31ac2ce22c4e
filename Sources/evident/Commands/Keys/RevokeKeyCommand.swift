import ArgumentParser
import Digests
import Foundation
import Node
import Receipts
import Transparency

struct RevokeKeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Says from when on nothing is to be believed that a node key signed.",
    discussion: """
      Evidence that witnesses had seen before that time stays valid. Rotate first:
      after its revocation, a key cannot name a successor. The entry belongs in the
      log that the node's receipts promise; evident serve brings it there.
      """)
  @Argument(help: "The public key, 64 hex digits.") var key: String
  @Option(help: ArgumentHelp("From when on, such as 2026-01-31T23:59:59Z (default: now).", valueName: "time"))
  var from: String?
  @Option(help: "Why, in words.") var reason: String = ""
  @Flag(
    name: .customLong("final"),
    help: "Revoke even the key that the node signs with now: its chain of keys ends.")
  var endsChain = false
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    guard let publicKey = NodePublicKey(hex: key) else {
      throw ValidationError("\(key) is not a node key of 64 lower-case hex digits")
    }
    let time = from ?? UTCTime.text(Int64(Date().timeIntervalSince1970))
    guard UTCTime.seconds(time) != nil else {
      throw ValidationError("--from \(time) is not a time in UTC such as 2026-01-31T23:59:59Z")
    }
    guard reason.utf8.count <= KeyRevocation.reasonBytesMax else {
      throw ValidationError("--reason is longer than \(KeyRevocation.reasonBytesMax) bytes")
    }
    let settings = try await Settings()
    let path = settings.nodeKeyFile
    let history = KeyHistoryFolder(path: settings.keyHistoryFolder)
    let current = try NodeKey.loadOrCreate(path: path).signing.publicKey
    guard endsChain || publicKey != current else {
      throw CommandFailure(
        "\(publicKey) is the key that this node signs with", hint: "run evident keys rotate first, or give --final")
    }
    if let earlier = try history.revocation(of: publicKey), earlier.from <= time {
      throw CommandFailure(
        "\(publicKey) is revoked from \(earlier.from) on already",
        hint: "evident keys shows it; only an earlier time, with --from, would add something")
    }
    guard let signer = try signer(publicKey, path, history) else {
      throw CommandFailure(
        "neither \(publicKey) nor its successor is a key of this node", hint: "evident keys shows the ones it has had")
    }
    let revocation = KeyRevocation(key: publicKey, from: time, reason: reason, signer: signer.signing.publicKey)
    let item = try history.add(SignedEntry(signing: .revocation(revocation), with: signer.signing))
    if json {
      print(
        ([
          "key": .string(publicKey.hex), "from": .string(time), "signer": .string(revocation.signer.hex),
          "entry": .string(item.entryPath), "leafHash": .string(Hex.string(item.signed.envelope.leafHash.bytes)),
        ] as JSON).text())
    } else {
      print("revoked     \(publicKey)")
      print("from        \(time)")
      print("signed by   \(revocation.signer)")
      print("entry       \(item.entryPath)")
    }
  }

  /// The key itself where it is still here, or else its successor.
  private func signer(_ key: NodePublicKey, _ path: String, _ history: KeyHistoryFolder) throws -> NodeKey? {
    if let own = try NodeKey.kept(key, path: path) { return own }
    for item in try history.items() {
      if case .succession(let succession) = item.signed.entry, succession.from == key {
        return try NodeKey.kept(succession.to, path: path)
      }
    }
    return nil
  }
}
