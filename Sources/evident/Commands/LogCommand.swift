import ArgumentParser

struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "A public log of signed statements: verifies one.",
    subcommands: [
      LogFsckCommand.self
    ])
}
