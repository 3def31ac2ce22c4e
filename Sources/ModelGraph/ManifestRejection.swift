public import Digests

/// Why bytes are not a manifest that we accept.
public enum ManifestRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(bytes: Int)
  case json(JSONError)
  case notCanonical
  case missing(String)
  case unknown(String)
  case wrongType(String, expected: String)
  case unsupported(String, found: String)
  /// Entries must ascend (names by their bytes), each once.
  case notSorted(String)
  /// Equal models have equal manifests, so what a member's absence means is not stated.
  case statesDefault(String)

  public var description: String {
    switch self {
    case .tooLong(let n): "the model manifest has \(n) bytes; the limit is \(ModelManifest.bytesMax)"
    case .json(let e): "the model manifest is not valid JSON: \(e)"
    case .notCanonical: "the model manifest is not canonical JSON (RFC 8785)"
    case .missing(let path): "the model manifest lacks \(path)"
    case .unknown(let path): "the model manifest has a member that this version does not know: \(path)"
    case .wrongType(let path, let expected): "the model manifest's \(path) is not \(expected)"
    case .unsupported(let path, let found):
      "the model manifest's \(path) is \(found), which this version does not support"
    case .notSorted(let path): "the model manifest's \(path) comes out of order; entries are sorted, each once"
    case .statesDefault(let path): "the model manifest's \(path) states what its absence means; leave it out"
    }
  }
}
