import Digests
public import Transparency

/// An entry of a public log beside the proof that it is one: a succession or a revocation of a node's key.
///
/// Reading one checks its form only.
///
/// Source: docs/spec/evidence.md, section 8.
public struct LoggedEntry: Sendable, Equatable {
  public let entry: Envelope
  public let log: InclusionEvidence

  public init(entry: Envelope, log: InclusionEvidence) {
    self.entry = entry
    self.log = log
  }

  var json: JSON { ["entry": entry.json, "log": log.json] }

  init(_ value: JSON, path: String) throws(FieldError) {
    var fields = try JSONFields(value, path: path)
    entry = try Envelope(try fields.take("entry"), path: fields.path(of: "entry"))
    log = try InclusionEvidence(try fields.take("log"), path: fields.path(of: "log"))
    try fields.finish()
  }
}

extension Envelope {
  /// The leaf of a log whose entry this envelope is: that of its canonical JSON.
  public var leafHash: MerkleHash { .leaf(bytes) }
}

extension InclusionEvidence {
  /// The `tlog-proof` as it is in files: one string, verbatim.
  var json: JSON { .string(String(decoding: bytes, as: UTF8.self)) }

  init(_ value: JSON, path: String) throws(FieldError) {
    let text = try JSONFields.string(value, path: path, bytesMax: InclusionEvidence.bytesMax)
    do { self = try InclusionEvidence(parsing: Array(text.utf8)) } catch {
      let line = text.unicodeScalars.prefix { $0 != "\n" }.prefix(40)
      throw .notAllowed(path: path, value: String(String.UnicodeScalarView(line)), wanted: "a tlog-proof: \(error)")
    }
  }
}
