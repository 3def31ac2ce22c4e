/// Why an object is not what its specification says. Every case names the member by its path.
public enum FieldError: Error, Hashable, Sendable, CustomStringConvertible {
  case missing(path: String)
  case unknown(path: String)
  case wrongType(path: String, wanted: String, found: String)
  case outOfRange(path: String, value: Int, range: ClosedRange<Int>)
  /// The value has the right type but not one of the forms that are allowed.
  case notAllowed(path: String, value: String, wanted: String)

  public var path: String {
    switch self {
    case .missing(let path), .unknown(let path), .wrongType(let path, _, _), .outOfRange(let path, _, _),
      .notAllowed(let path, _, _):
      path
    }
  }

  public var description: String {
    switch self {
    case .missing(let path): "\(path) is missing"
    case .unknown(let path): "\(path) is not a member that the specification knows"
    case .wrongType(let path, let wanted, let found): "\(path) must be \(wanted), and is \(found)"
    case .outOfRange(let path, let value, let range):
      "\(path) is \(value); it must be in \(range.lowerBound)...\(range.upperBound)"
    case .notAllowed(let path, let value, let wanted): "\(path) is \"\(value)\"; it must be \(wanted)"
    }
  }
}

/// Reads the members of one JSON object strictly: each must be taken, none may be left.
///
/// Members are taken in the order of the specification, so the first thing wrong is always the one
/// that is reported.
public struct JSONFields: Sendable {
  public let path: String
  private let object: JSONObject
  private var taken: [String] = []

  /// - Throws: ``FieldError/wrongType(path:wanted:found:)`` unless `json` is an object.
  public init(_ json: JSON, path: String) throws(FieldError) {
    guard let object = json.object else {
      throw .wrongType(path: path.isEmpty ? "the document" : path, wanted: "an object", found: json.kind)
    }
    self.path = path
    self.object = object
  }

  /// The path of a member. Names are cut after 80 characters: they may come from anyone.
  public func path(of key: String) -> String { path.isEmpty ? String(key.prefix(80)) : "\(path).\(key.prefix(80))" }

  public mutating func take(_ key: String) throws(FieldError) -> JSON {
    guard let value = object[key] else { throw .missing(path: path(of: key)) }
    taken.append(key)
    return value
  }

  public mutating func fields(_ key: String) throws(FieldError) -> JSONFields {
    try JSONFields(try take(key), path: path(of: key))
  }

  /// - Parameter bytesMax: the most UTF-8 bytes the string may have.
  public mutating func string(_ key: String, bytesMax: Int) throws(FieldError) -> String {
    try JSONFields.string(try take(key), path: path(of: key), bytesMax: bytesMax)
  }

  /// A string that must be one of `allowed`.
  public mutating func choice(_ key: String, _ allowed: [String]) throws(FieldError) -> String {
    let value = try string(key, bytesMax: 200)
    guard allowed.contains(where: { $0.utf8.elementsEqual(value.utf8) }) else {
      throw .notAllowed(path: path(of: key), value: value, wanted: allowed.joined(separator: " or "))
    }
    return value
  }

  public mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(FieldError) -> Int {
    try JSONFields.integer(try take(key), path: path(of: key), range)
  }

  public mutating func array(_ key: String, countMax: Int) throws(FieldError) -> [JSON] {
    let value = try take(key)
    guard let array = value.array else {
      throw .wrongType(path: path(of: key), wanted: "an array", found: value.kind)
    }
    guard array.count <= countMax else {
      throw .outOfRange(path: path(of: key) + ".count", value: array.count, range: 0...countMax)
    }
    return array
  }

  /// - Throws: ``FieldError/unknown(path:)`` for the first member that nothing has taken.
  public func finish() throws(FieldError) {
    guard object.count > taken.count else { return }
    for key in object.keys where !taken.contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
      throw .unknown(path: path(of: key))
    }
  }

  public static func string(_ value: JSON, path: String, bytesMax: Int) throws(FieldError) -> String {
    guard let string = value.string else { throw .wrongType(path: path, wanted: "a string", found: value.kind) }
    guard string.utf8.count <= bytesMax else {
      throw .outOfRange(path: path + ".bytes", value: string.utf8.count, range: 0...bytesMax)
    }
    return string
  }

  /// An integer in its one spelling: `1.0`, `1e0` and `-0` are not accepted.
  public static func integer(_ value: JSON, path: String, _ range: ClosedRange<Int>) throws(FieldError) -> Int {
    guard let number = value.number else { throw .wrongType(path: path, wanted: "an integer", found: value.kind) }
    guard let integer = number.integer, String(integer) == number.text else {
      throw .notAllowed(path: path, value: String(number.text.prefix(40)), wanted: "a plain integer")
    }
    guard range.contains(integer) else { throw .outOfRange(path: path, value: integer, range: range) }
    return integer
  }
}

extension JSON {
  /// What kind of value this is, in words.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
