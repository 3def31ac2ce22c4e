import ArgumentParser
import Node

/// The command line.
@main
struct Evident: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evident",
    abstract: "Runs AI models in exact integer arithmetic; every answer carries evidence that anyone can check.",
    discussion: """
      Start here:
        evident run "What is Evident?"                     ask the embedded model
        evident run --evidence a.evidence.json "Hello!"    keep the evidence
        evident verify --replay a.evidence.json            check it, on any machine
        evident serve                                      the OpenAI API
        evident pull org/name                              a model from a hub

      Settings are taken from flags, then environment variables (EVIDENT_HOST,
      EVIDENT_PORT, …), then the file config.json in $XDG_CONFIG_HOME/evident,
      then defaults.

      Shell completion: evident --generate-completion-script bash|zsh|fish
      """,
    version: "evident \(Node.version)",
    subcommands: [
      RunCommand.self, ServeCommand.self, VerifyCommand.self, LogCommand.self, PullCommand.self, ImportCommand.self,
      PublishCommand.self, ListCommand.self, ShowCommand.self, CopyCommand.self, RemoveCommand.self,
      VerifyModelCommand.self, TokenizeCommand.self, RenderTemplateCommand.self, KeysCommand.self, PolicyCommand.self,
      WitnessCommand.self, MonitorCommand.self, BenchCommand.self,
    ])
}

/// A problem to report in one line, with what to do next in another.
struct CommandFailure: Error, CustomStringConvertible {
  let message: String
  let hint: String?
  /// nil for what is usual for the command.
  let exitCode: Int32?

  init(_ message: String, hint: String? = nil, exitCode: Int32? = nil) {
    self.message = message
    self.hint = hint
    self.exitCode = exitCode
  }

  var description: String { hint.map { "\(message)\nhint: \($0)" } ?? message }
}
