import ArgumentParser
import Digests
import Server
import Transparency

struct LogKeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Shows a log's public key, for policies; makes the key first if needed.")

  @Option(
    help: ArgumentHelp(
      "The file of the secret key (EVIDENT_LOG_KEY; default log.key among the state).", valueName: "file"),
    completion: .file())
  var key: String?
  @Option(help: ArgumentHelp("The log's name, if the key is made now.", valueName: "name")) var origin: String?
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let settings = try await Settings()
    let path = key ?? settings.logKeyFile(ofLogIn: settings.logFolder)
    let verifierKey =
      key == nil
      ? try LogArguments.signer(path, ofLogIn: settings.logFolder, origin: origin).verifierKey
      : try LogKeyFile.loadOrCreate(path: path, origin: origin).verifierKey
    if json {
      print(
        ([
          "key": .string(verifierKey.description), "origin": .string(verifierKey.name.string),
          "publicKey": .string(Hex.string(verifierKey.publicKey)), "path": .string(path),
        ] as JSON).text())
    } else {
      // Stdout holds the key and nothing else, so that it can go into a policy.
      print(verifierKey.description)
      Terminal.note("file  \(path)")
    }
  }
}
