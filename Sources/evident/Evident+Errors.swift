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
      var command = try parseAsRoot()
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
}
