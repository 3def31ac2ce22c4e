import Foundation
import ModelFiles
import ModelGraph
import Testing
import Tokenizers

/// Runs something on many damaged files: each must be refused with a typed error or still be valid.
enum MutationRun {
  /// What became of the mutants of one kind.
  struct Outcome {
    var refused = 0
    var valid = 0
  }

  private static func isTyped(_ error: any Error) -> Bool {
    error is ImportRejection || error is SafetensorsRejection || error is GGUFRejection || error is FileTooLarge
      || error is PackRejection || error is LoadRejection || error is ManifestRejection || error is ModelRejection
      || error is TokenizerError
  }

  /// - Parameter body: makes one mutant and opens it.
  static func run(_ kind: String, count: Int, _ body: (inout SeededGenerator) throws -> Void) -> Outcome {
    var (seed, generator) = SeededGenerator.announced("MutationTests.\(kind)")
    var outcome = Outcome()
    for i in 0..<count {
      do {
        try body(&generator)
        outcome.valid += 1
      } catch {
        #expect(isTyped(error), "\(kind), seed \(seed), mutant \(i): \(type(of: error)): \(error)")
        #expect(!"\(error)".isEmpty && "\(error)".utf8.count < 4096)
        outcome.refused += 1
      }
    }
    print("MutationTests.\(kind): \(outcome.refused) refused, \(outcome.valid) still valid")
    return outcome
  }

  /// The most memory that this process has had.
  static var peakKibibytes: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
  }
}
