import Digests

/// One object of a tokenizer definition, with the path that error messages name.
struct DefinitionReader {
  let json: JSON
  let path: String

  init(_ json: JSON, path: String) throws(TokenizerError) {
    guard json.object != nil else { throw .invalid(field: path, reason: "it is not an object") }
    self.json = json
    self.path = path
  }

  func field(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Nil when the member is absent or null.
  func value(_ key: String) -> JSON? { json[key].flatMap { $0.isNull ? nil : $0 } }

  func reader(_ key: String) throws(TokenizerError) -> DefinitionReader? {
    guard let value = value(key) else { return nil }
    return try DefinitionReader(value, path: field(key))
  }

  func string(_ key: String) throws(TokenizerError) -> [UInt8]? {
    guard let value = value(key) else { return nil }
    guard let s = value.string else { throw .invalid(field: field(key), reason: "it is not a string") }
    return Array(s.utf8)
  }

  func requiredString(_ key: String) throws(TokenizerError) -> [UInt8] {
    guard let s = try string(key) else { throw .missing(field: field(key)) }
    return s
  }

  /// A word of the definition's own vocabulary (a type name, a behaviour): plain text.
  func word(_ key: String) throws(TokenizerError) -> String? {
    try string(key).map { String(decoding: $0, as: UTF8.self) }
  }

  func bool(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
    guard let value = value(key) else { return fallback }
    guard let b = value.bool else { throw .invalid(field: field(key), reason: "it is not true or false") }
    return b
  }

  func integer(_ key: String) throws(TokenizerError) -> Int? {
    guard let value = value(key) else { return nil }
    guard let i = value.integer else { throw .invalid(field: field(key), reason: "it is not an integer") }
    return i
  }

  func array(_ key: String) throws(TokenizerError) -> [JSON]? {
    guard let value = value(key) else { return nil }
    guard let a = value.array else { throw .invalid(field: field(key), reason: "it is not an array") }
    return a
  }

  func requiredArray(_ key: String) throws(TokenizerError) -> [JSON] {
    guard let a = try array(key) else { throw .missing(field: field(key)) }
    return a
  }

  /// The readers of an array of objects.
  func readers(_ key: String) throws(TokenizerError) -> [DefinitionReader] {
    var out: [DefinitionReader] = []
    for (i, value) in try requiredArray(key).enumerated() {
      out.append(try DefinitionReader(value, path: "\(field(key))[\(i)]"))
    }
    return out
  }

  /// A single Unicode scalar.
  func scalar(_ key: String) throws(TokenizerError) -> UInt32? {
    guard let bytes = try string(key) else { return nil }
    let scalars = UTF8Text.scalars(bytes)
    guard scalars.count == 1 else { throw .invalid(field: field(key), reason: "it is not one character") }
    return scalars[0]
  }
}
