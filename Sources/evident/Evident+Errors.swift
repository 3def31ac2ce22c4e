import ArgumentParser
import Foundation

extension Evident {
  /// Runs the command that the arguments name. An error may quote a file of anyone's, and is made fit for a
  /// terminal before it is printed.
  static func main() async {
    // A file that grows beyond `ulimit -f` is an error like a full disk, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    var parsed: (any ParsableCommand)?
    do {
      var command = try command(Array(CommandLine.arguments.dropFirst()))
      parsed = command
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      if let parsed, let wrong = error as? ValidationError { exit(wrong, usageOf: type(of: parsed)) }
      let message = fullMessage(for: error)
      // What ArgumentParser says itself is about what was typed, and has exit statuses of its own.
      guard message.hasPrefix("Error: "), exitCode(for: error) == .failure else { exit(withError: error) }
      Terminal.note(Terminal.printable(message))
      Foundation.exit((error as? CommandFailure)?.exitCode ?? (parsed is any JudgingCommand ? 2 : 1))
    }
  }

  /// The command that the arguments name.
  ///
  /// The tree of all commands takes longer to build than a file takes to check, so the one that is named is read by
  /// itself. What it does not read (mistakes, questions for help) is for the whole tree, which has the words for it.
  private static func command(_ arguments: [String]) throws -> any ParsableCommand {
    var named: any ParsableCommand.Type = Evident.self
    var rest = arguments[...]
    while let name = rest.first,
      let next = named.configuration.subcommands.first(where: { $0.configuration.commandName == name })
    {
      named = next
      rest = rest.dropFirst()
    }
    if named.configuration.subcommands.isEmpty, let command = try? named.parseAsRoot(Array(rest)),
      type(of: command) == named
    {
      return command
    }
    return try parseAsRoot(arguments)
  }
}
