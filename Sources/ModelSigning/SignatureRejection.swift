public import Digests

/// The parts of a signature file that are read one inside the other.
public enum SignaturePart: String, Sendable, Hashable {
  case bundle = "signature file"
  case statement = "signed statement"
}

/// Why a signature does not stand. Its author, or whoever changed the files, is at fault.
public enum SignatureRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case notJSON(SignaturePart, JSONError)
  case field(SignaturePart, FieldError)
  /// A name of a file that could not be one below the signed folder.
  case fileName(String, problem: String)
  case listedTwice(String)
  /// The digest over all resources is not the subject's.
  case inconsistent(found: String, stated: String)
  /// The key that is named did not make the signature.
  case invalid(fingerprint: String)
  case filesDiffer(FileDifferences)
  case tooLong(bytes: Int, bytesMax: Int)
  /// Well formed, perhaps, but of a kind that is not checked here.
  case unsupported(UnsupportedSignature)

  public var description: String {
    switch self {
    case .notJSON(let part, let error): "the \(part.rawValue) cannot be read: \(error)"
    case .field(let part, let error): "in the \(part.rawValue), \(error)"
    case .fileName(let name, let problem):
      "the signed statement lists \(SignatureRejection.quoted(name)), which is no file name: \(problem)"
    case .listedTwice(let name): "the signed statement lists \(SignatureRejection.quoted(name)) twice"
    case .inconsistent(let found, let stated):
      "the files that the signed statement lists have the digest \(found) together; it states \(stated)"
    case .invalid(let fingerprint): "the signature was not made by the key that it names, \(fingerprint)"
    case .filesDiffer(let differences): "the files are not those that were signed: \(differences)"
    case .tooLong(let bytes, let bytesMax):
      "the signature file would have \(bytes) bytes; at most \(bytesMax) are allowed: sign fewer files"
    case .unsupported(let kind): kind.description
    }
  }

  /// As in messages: on one line and not too long, whoever chose it.
  static func quoted(_ name: String) -> String {
    let shown = name.unicodeScalars.prefix(120).map { scalar in
      scalar.value < 0x20 || scalar.value == 0x7F ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return "\"\(shown.joined())\(name.unicodeScalars.count > 120 ? "…" : "")\""
  }
}

/// Signatures that other tools check.
public enum UnsupportedSignature: Sendable, Hashable, CustomStringConvertible {
  /// Signed with a certificate: Sigstore without keys, or an organisation's own.
  case certificate
  case method(String)
  case hash(String)
  case predicate(String)

  public var description: String {
    switch self {
    case .certificate: "it was made with a certificate, not with a key"
    case .method(let name): "it lists \(SignatureRejection.quoted(name)), not files"
    case .hash(let name): "its digests are made with \(SignatureRejection.quoted(name)), not sha256"
    case .predicate(let type): "its statement has the older type \(SignatureRejection.quoted(type))"
    }
  }

  /// What to do about it.
  public var remedy: String {
    switch self {
    case .certificate:
      "check it with `python -m model_signing verify sigstore|certificate`, or ask for one made with `sign key`"
    case .method, .hash, .predicate:
      "check it with `python -m model_signing verify key`, or ask the publisher to sign again with its defaults"
    }
  }
}

/// What is different between the files that were signed and those that are there.
public struct FileDifferences: Sendable, Equatable, CustomStringConvertible {
  public var changed: [String]
  public var missing: [String]
  public var notSigned: [String]

  public init(changed: [String] = [], missing: [String] = [], notSigned: [String] = []) {
    self.changed = changed
    self.missing = missing
    self.notSigned = notSigned
  }

  public var isEmpty: Bool { changed.isEmpty && missing.isEmpty && notSigned.isEmpty }

  public var description: String {
    [("changed", changed), ("missing", missing), ("not signed", notSigned)].compactMap { what, names in
      guard !names.isEmpty else { return nil }
      let shown = names.prefix(10).map(SignatureRejection.quoted).joined(separator: ", ")
      return "\(what): \(shown)\(names.count > 10 ? " and \(names.count - 10) more" : "")"
    }.joined(separator: "; ")
  }
}
