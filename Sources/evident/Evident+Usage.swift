import ArgumentParser
import Foundation

/// A command whose exit status 1 is its judgement: what keeps it from judging is 2.
protocol JudgingCommand {}

extension Evident {
  /// Ends with what is wrong with the arguments of a command, as if that had been seen before it ran.
  static func exit(_ wrong: ValidationError, usageOf command: any ParsableCommand.Type) -> Never {
    let usage = usageString(for: command)
    // The words of the usage up to the arguments: the command's name.
    let name = usage.split(separator: " ").prefix {
      $0.first.map { $0.isLetter || $0 == "-" } ?? false && !$0.hasPrefix("--")
    }
    Terminal.note(
      Terminal.printable(
        """
        Error: \(wrong.message)
        Usage: \(usage)
          See '\(name.joined(separator: " ")) --help' for more information.
        """))
    Foundation.exit(ExitCode.validationFailure.rawValue)
  }
}
