import Digests
import Foundation
import ModelFiles
import ModelGraph

/// What a manifest says in the words that people use.
struct ModelSummary {
  /// The weights of one number format.
  struct Share: Equatable {
    /// As in the manifest: `linear8`.
    var kind: String
    var parameters: Int
    /// Bits per weight.
    var bits: Int
  }

  let parameters: Int
  /// Largest first.
  let shares: [Share]

  init(_ manifest: ModelManifest) {
    var byKind: [String: Int] = [:]
    for tensor in manifest.tensors { byKind[tensor.kind.rawValue, default: 0] += tensor.shape.reduce(1, &*) }
    parameters = byKind.values.reduce(0, &+)
    shares = byKind.map { Share(kind: $0.key, parameters: $0.value, bits: ModelSummary.bits($0.key)) }
      .sorted { ($0.parameters, $1.kind) > ($1.parameters, $0.kind) }
  }

  /// A format's name holds its bits: linear8, table16. Those without are vectors of 32 bits.
  static func bits(_ kind: String) -> Int {
    let digits = kind.drop { !$0.isNumber }.prefix { $0.isNumber }
    return Int(digits) ?? 32
  }

  /// 134515008 → "134.5 M"
  static func count(_ value: Int) -> String {
    for (scale, unit) in [(1_000_000_000, "B"), (1_000_000, "M"), (1000, "k")] where value >= scale {
      return "\(value / scale).\(value % scale / (scale / 10)) \(unit)"
    }
    return "\(value)"
  }

  /// The number format of most weights: "8-bit".
  var quantisation: String { shares.first.map { "\($0.bits)-bit" } ?? "" }

  /// "8-bit 78.9 % (linear8), 16-bit 21.0 % (table16), 32-bit 0.1 % (gain)"
  var quantisationShares: String {
    shares.map { share in
      let permille = parameters == 0 ? 0 : Int((Double(share.parameters) / Double(parameters) * 1000).rounded())
      let text = permille == 0 ? "< 0.1" : "\(permille / 10).\(permille % 10)"
      return "\(share.bits)-bit \(text) % (\(share.kind))"
    }.joined(separator: ", ")
  }

  var json: JSON {
    [
      "parameters": .integer(parameters),
      "quantisation": .array(
        shares.map {
          ["kind": .string($0.kind), "bits": .integer($0.bits), "parameters": .integer($0.parameters)]
        }),
    ]
  }
}

extension ModelProvenance {
  /// ISO 8601, in UTC.
  var importedText: String {
    Date(timeIntervalSince1970: TimeInterval(importedAt)).formatted(.iso8601)
  }

  /// Where it came from, in one line.
  var sourceText: String {
    if let hub { return "\(hub.endpoint)/\(hub.repository) at \(hub.commit) (\(hub.revision))" }
    return path ?? "not recorded"
  }
}
