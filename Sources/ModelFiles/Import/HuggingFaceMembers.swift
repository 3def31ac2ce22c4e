import Digests

/// The members of one of a checkpoint's JSON objects; null counts as absent.
struct HuggingFaceMembers {
  /// A configuration longer than this is refused before it is parsed.
  static let bytesMax = 1 << 20

  let object: JSONObject
  let file: String
  /// Where in the file the object is, for messages: `rope_parameters.`, or nothing.
  var path = ""

  init(_ bytes: [UInt8], file: String) throws(ImportRejection) {
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes, bytesMax: HuggingFaceMembers.bytesMax) } catch {
      throw .json(file: file, error)
    }
    try self.init(json, file: file)
  }

  init(_ json: JSON, file: String, path: String = "") throws(ImportRejection) {
    guard let object = json.object else {
      throw .wrongType(file: file, key: path.isEmpty ? "the content" : path, expected: "an object")
    }
    self.object = object
    self.file = file
    self.path = path.isEmpty ? "" : path + "."
  }

  func value(_ key: String) -> JSON? {
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  /// Whether the key is there, be it with null.
  func states(_ key: String) -> Bool { object[key] != nil }

  func missing(_ key: String) -> ImportRejection { .missingValue(file: file, key: path + key) }

  func wrongType(_ key: String, _ expected: String) -> ImportRejection {
    .wrongType(file: file, key: path + key, expected: expected)
  }

  func unsupported(_ key: String, found: String, supported: String) -> ImportRejection {
    .unsupportedValue(file: file, key: path + key, found: found, supported: supported)
  }

  func members(_ key: String) throws(ImportRejection) -> HuggingFaceMembers? {
    guard let value = value(key) else { return nil }
    guard value.object != nil else { throw wrongType(key, "an object or null") }
    return try HuggingFaceMembers(value, file: file, path: path + key)
  }

  func integer(_ key: String, default fallback: Int? = nil) throws(ImportRejection) -> Int {
    guard let value = value(key) else {
      guard let fallback else { throw missing(key) }
      return fallback
    }
    guard let n = value.integer, n >= 0 else { throw wrongType(key, "a natural number") }
    return n
  }

  func number(_ key: String) throws(ImportRejection) -> JSONNumber? {
    guard let value = value(key) else { return nil }
    guard let n = value.number else { throw wrongType(key, "a number") }
    return n
  }

  /// The nearest binary64 number to a positive one.
  func positive(_ key: String) throws(ImportRejection) -> Double? {
    guard let number = try number(key) else { return nil }
    guard let x = Double(number.text), x > 0, x <= 1e30 else {
      throw unsupported(key, found: number.text, supported: "a positive number")
    }
    return x
  }

  func bool(_ key: String, default fallback: Bool) throws(ImportRejection) -> Bool {
    guard let value = value(key) else { return fallback }
    guard let b = value.bool else { throw wrongType(key, "true or false") }
    return b
  }

  func string(_ key: String) throws(ImportRejection) -> String? {
    guard let value = value(key) else { return nil }
    guard let s = value.string else { throw wrongType(key, "a string") }
    return s
  }

  /// At most `countMax` values; nil when absent.
  func array(_ key: String, countMax: Int = 1 << 16) throws(ImportRejection) -> [JSON]? {
    guard let value = value(key) else { return nil }
    guard let list = value.array, list.count <= countMax else {
      throw wrongType(key, "an array of at most \(countMax) values")
    }
    return list
  }

  /// A token id or an array of them; nil when absent.
  func identifiers(_ key: String) throws(ImportRejection) -> [Int]? {
    guard let value = value(key) else { return nil }
    let list = (value.array ?? [value]).map(\.integer)
    guard list.allSatisfy({ $0 != nil && $0! >= 0 }) else { throw wrongType(key, "a token id or an array of them") }
    return list.compactMap { $0 }
  }

  /// Refuses a present value whose JSON text is not one of `texts`.
  func require(_ key: String, _ texts: [String], orAbsent: Bool = true) throws(ImportRejection) {
    guard let value = value(key) else {
      if orAbsent { return }
      throw missing(key)
    }
    guard texts.contains(value.text()) else {
      throw unsupported(
        key, found: HuggingFaceMembers.shown(value), supported: texts.isEmpty ? "null" : texts.joined(separator: ", "))
    }
  }

  static func shown(_ value: JSON) -> String {
    let text = value.text()
    return text.utf8.count <= 200 ? text : String(text.prefix(160)) + "…"
  }
}
