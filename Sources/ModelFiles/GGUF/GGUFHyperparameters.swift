import Digests

/// The metadata keys that begin with the architecture's name.
struct GGUFHyperparameters {
  let metadata: GGUFMetadata
  let architecture: String

  var file: String { metadata.file }
  func key(_ part: String) -> String { "\(architecture).\(part)" }

  /// A natural number; of an array with one per layer the number that all layers share.
  func integer(_ part: String) throws(GGUFRejection) -> Int? {
    guard metadata.isArray(key(part)) else { return try metadata.integer(key(part)) }
    guard let list = try metadata.integers(key(part), countMax: 1 << 16), let first = list.first else { return nil }
    guard list.allSatisfy({ $0 == first }) else {
      throw .unsupportedValue(
        file: file, key: key(part), found: "different from layer to layer", supported: "one number for all layers")
    }
    return first
  }

  func required(_ part: String) throws(GGUFRejection) -> Int {
    guard let n = try integer(part) else { throw .missing(file: file, key: key(part)) }
    return n
  }

  func number(_ part: String) throws(GGUFRejection) -> JSONNumber? { try metadata.number(key(part)) }

  func requiredNumber(_ part: String) throws(GGUFRejection) -> JSONNumber {
    guard let n = try number(part) else { throw .missing(file: file, key: key(part)) }
    return n
  }

  func text(_ part: String) throws(GGUFRejection) -> String? { try metadata.text(key(part)) }

  func bool(_ part: String) throws(GGUFRejection) -> Bool? { try metadata.bool(key(part)) }

  /// Refuses a present number that is not `supported`.
  func require(_ part: String, _ supported: Int) throws(GGUFRejection) {
    guard let found = try integer(part), found != supported else { return }
    throw .unsupportedValue(file: file, key: key(part), found: "\(found)", supported: "\(supported)")
  }
}
