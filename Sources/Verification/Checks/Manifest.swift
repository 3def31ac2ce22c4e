import ModelGraph
import Receipts

/// The manifest in the file is the one whose digest was signed, and a model this version knows.
enum ManifestCheck: Check {
  static let name = CheckName.modelManifest

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let stated = try evidence.claim().model.manifest
    if let expected = evidence.options.expected.model, expected != stated { return .fail(.modelNotExpected(stated)) }
    switch evidence.modelResult {
    case .absent(let reason): throw reason
    case .refuted(let refutation): return .fail(refutation)
    case .manifest: return .pass("the model is \(stated)")
    }
  }
}
