import Digests
import Foundation
import Transparency

/// The trust policy that a command goes by, and where it came from.
struct ChosenPolicy {
  /// nil for the built-in one: the log that a receipt names itself, and no witness.
  let policy: TrustPolicy?
  /// nil for the built-in one.
  let path: String?
  /// Where a policy of the user's own is looked for.
  let standardPath: String

  /// A policy that was read.
  init(_ policy: TrustPolicy, path: String) {
    (self.policy, self.path, standardPath) = (policy, path, path)
  }

  /// The file that was named; or else the one at its standard place, when there is one.
  ///
  /// - Throws: when a file is there and is not a policy: that never falls back to another one.
  init(_ argument: String?, _ settings: Settings) throws {
    standardPath = settings.policyFile
    path = argument ?? settings.string("policy") ?? ChosenPolicy.existing(standardPath)
    policy = try path.map { try PolicyFile.read($0) }
  }

  private static func existing(_ path: String) -> String? {
    FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// For the line that says which policy was used.
  var text: String {
    path ?? "built in: the log that the receipt names itself, no witness (your own: --policy, or \(standardPath))"
  }

  var json: JSON {
    ["source": path == nil ? "builtIn" : "file", "file": path.map { .string($0) } ?? .null]
  }
}
