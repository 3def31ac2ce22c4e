/// A JSON value (RFC 8259) as it was written: numbers keep their text, objects keep their order.
///
/// Nothing here converts to floating point. Keys and strings are compared as UTF-8 bytes, never by
/// Unicode canonical equivalence: two vocabulary entries that differ only in normalisation are
/// different entries.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSON])
  case object(JSONObject)

  public static func integer(_ value: Int) -> JSON { .number(JSONNumber(value)) }
}

extension JSON: Equatable {
  public static func == (a: JSON, b: JSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.number(let x), .number(let y)): x == y
    case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
    case (.array(let x), .array(let y)): x == y
    case (.object(let x), .object(let y)): x == y
    default: false
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
}

extension JSON {
  public var isNull: Bool { if case .null = self { true } else { false } }
  public var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
  public var string: String? { if case .string(let s) = self { s } else { nil } }
  public var array: [JSON]? { if case .array(let a) = self { a } else { nil } }
  public var object: JSONObject? { if case .object(let o) = self { o } else { nil } }
  public var number: JSONNumber? { if case .number(let n) = self { n } else { nil } }
  /// The value as an integer, when it is a number with an exactly integral value that fits.
  public var integer: Int? { number?.integer }
  /// A member of an object; nil when this is not an object or has no such key.
  public subscript(_ key: String) -> JSON? { object?[key] }
}

/// A JSON number, kept as the text it was written in.
public struct JSONNumber: Sendable, Equatable {
  public let text: String

  public init(_ value: Int) { text = String(value) }
  /// The caller vouches that `text` matches the number grammar of RFC 8259, section 6.
  package init(validated text: String) { self.text = text }

  /// The exact integral value; nil for fractions and for anything outside Int.
  public var integer: Int? { scaled(byPowerOfTen: 0, rounding: false) }

  /// value · 10^power, rounded half away from zero; nil when it does not fit an Int.
  ///
  /// - Parameter rounding: when false, nil is also returned for an inexact result.
  public func scaled(byPowerOfTen power: Int, rounding: Bool = true) -> Int? {
    var digits: [UInt8] = []
    var pointShift = 0
    var seenPoint = false
    var negative = false
    var exponent = 0
    var bytes = Array(text.utf8)[...]
    if bytes.first == UInt8(ascii: "-") {
      negative = true
      bytes.removeFirst()
    }
    while let c = bytes.first {
      bytes.removeFirst()
      if c == UInt8(ascii: ".") {
        seenPoint = true
      } else if c == UInt8(ascii: "e") || c == UInt8(ascii: "E") {
        guard let e = Int(String(decoding: bytes, as: UTF8.self)), e.magnitude <= 10_000 else {
          return digits.allSatisfy { $0 == 0 } ? 0 : nil
        }
        exponent = e
        break
      } else {
        digits.append(c &- UInt8(ascii: "0"))
        if seenPoint { pointShift += 1 }
      }
    }
    let shift = exponent - pointShift + power
    // digits · 10^shift
    var keep = digits.count
    if shift < 0 { keep = max(0, digits.count + shift) }
    var value = 0
    for d in digits[..<keep] {
      let (p, o1) = value.multipliedReportingOverflow(by: 10)
      let (s, o2) = p.addingReportingOverflow(Int(d))
      if o1 || o2 { return nil }
      value = s
    }
    if shift > 0 && value != 0 {
      for _ in 0..<shift {
        let (p, o) = value.multipliedReportingOverflow(by: 10)
        if o { return nil }
        value = p
      }
    }
    let dropped = digits[keep...]
    if dropped.contains(where: { $0 != 0 }) {
      if !rounding { return nil }
      if shift >= -digits.count && dropped.first! >= 5 {
        let (s, o) = value.addingReportingOverflow(1)
        if o { return nil }
        value = s
      }
    }
    return negative ? -value : value
  }
}

/// A JSON object: members in the order written, found by the bytes of their key.
public struct JSONObject: Sendable, Equatable {
  public private(set) var members: [(key: String, value: JSON)] = []
  /// Where each key is; empty while there are few, which are found faster by looking at each.
  private var index: [KeyBytes: Int] = [:]
  private static let fewMax = 16

  public init() {}

  public var count: Int { members.count }
  public var keys: [String] { members.map(\.key) }

  public subscript(_ key: String) -> JSON? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let i?, let value?): members[i].value = value
      case (nil, let value?): append(key, value)
      case (let i?, nil):
        members.remove(at: i)
        index = [:]
        if members.count > JSONObject.fewMax { indexAll() }
      case (nil, nil): break
      }
    }
  }

  /// Appends a member; false when the key is already there.
  package mutating func append(key: String, value: JSON) -> Bool {
    guard position(of: key) == nil else { return false }
    append(key, value)
    return true
  }

  private func position(of key: String) -> Int? {
    let key = KeyBytes(key)
    return members.count > JSONObject.fewMax ? index[key] : members.firstIndex { KeyBytes($0.key) == key }
  }

  /// Appends a member whose key is not there.
  private mutating func append(_ key: String, _ value: JSON) {
    members.append((key, value))
    if members.count == JSONObject.fewMax + 1 { indexAll() }
    if members.count > JSONObject.fewMax + 1 { index[KeyBytes(key)] = members.count - 1 }
  }

  private mutating func indexAll() {
    for (i, member) in members.enumerated() { index[KeyBytes(member.key)] = i }
  }

  public static func == (a: JSONObject, b: JSONObject) -> Bool {
    a.count == b.count && a.members.allSatisfy { b[$0.key] == $0.value }
  }
}

/// A key compared byte by byte.
private struct KeyBytes: Hashable, Sendable {
  let key: String
  init(_ key: String) { self.key = key }
  static func == (a: KeyBytes, b: KeyBytes) -> Bool {
    a.key.utf8.count == b.key.utf8.count && a.key.utf8.elementsEqual(b.key.utf8)
  }
  func hash(into hasher: inout Hasher) {
    var key = key
    key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
