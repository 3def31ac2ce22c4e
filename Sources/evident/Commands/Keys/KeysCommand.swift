import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Shows, changes and revokes the keys of this node.",
    discussion: """
      The node key signs answers. The model signing key signs what `evident
      publish` writes; give others its public half:

        evident keys --model-signing > my-key.pem

      `evident keys rotate` makes a new node key that the old one names, and
      `evident keys revoke` says from when on a key is not to be believed.
      """,
    subcommands: [ShowKeysCommand.self, RotateKeyCommand.self, RevokeKeyCommand.self],
    defaultSubcommand: ShowKeysCommand.self)
}

extension Settings {
  var nodeKeyFile: String { stateFolder + "/node.key" }
  /// Successions and revocations of the node key.
  var keyHistoryFolder: String { stateFolder + "/key-history" }
}
