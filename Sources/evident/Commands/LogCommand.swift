import ArgumentParser

struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "A public log of signed statements that nobody can quietly rewrite.",
    subcommands: [LogServeCommand.self, LogFsckCommand.self, LogKeyCommand.self, LogBenchCommand.self])
}
