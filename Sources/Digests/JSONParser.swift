/// Why bytes are not JSON that we accept. Offsets count bytes from the start.
public enum JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(bytes: Int, bytesMax: Int)
  case tooDeep(depthMax: Int, offset: Int)
  case unexpectedEnd
  case unexpectedByte(UInt8, offset: Int)
  case trailingBytes(offset: Int)
  case invalidUTF8(offset: Int)
  case invalidEscape(offset: Int)
  case invalidNumber(offset: Int)
  case duplicateKey(String, offset: Int)

  public var description: String {
    switch self {
    case .tooLong(let n, let max): "JSON is \(n) bytes long; the limit is \(max)"
    case .tooDeep(let max, let at): "JSON is nested deeper than \(max) at byte \(at)"
    case .unexpectedEnd: "JSON ends in the middle of a value"
    case .unexpectedByte(let b, let at): "unexpected byte 0x\(String(b, radix: 16)) in JSON at byte \(at)"
    case .trailingBytes(let at): "bytes after the end of the JSON value at byte \(at)"
    case .invalidUTF8(let at): "invalid UTF-8 in a JSON string at byte \(at)"
    case .invalidEscape(let at): "invalid escape in a JSON string at byte \(at)"
    case .invalidNumber(let at): "invalid JSON number at byte \(at)"
    case .duplicateKey(let key, let at): "duplicate key \"\(key.prefix(80))\" in a JSON object at byte \(at)"
    }
  }
}

extension JSON {
  /// Parses strict JSON (RFC 8259): no duplicate keys, no trailing bytes, valid UTF-8, bounded depth.
  ///
  /// - Throws: ``JSONError``; never traps, whatever the bytes.
  public static func parse(
    _ bytes: [UInt8], bytesMax: Int = 64 << 20, depthMax: Int = 64
  ) throws(JSONError) -> JSON {
    guard bytes.count <= bytesMax else { throw .tooLong(bytes: bytes.count, bytesMax: bytesMax) }
    var parser = JSONParser(bytes: bytes, depthMax: depthMax)
    let value = try parser.parseValue(depth: 0)
    parser.skipSpace()
    guard parser.at == bytes.count else { throw .trailingBytes(offset: parser.at) }
    return value
  }

  public static func parse(_ text: String, bytesMax: Int = 64 << 20, depthMax: Int = 64) throws(JSONError) -> JSON {
    try parse(Array(text.utf8), bytesMax: bytesMax, depthMax: depthMax)
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let depthMax: Int
  var at = 0

  mutating func skipSpace() {
    while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 {
      at += 1
    }
  }

  mutating func next() throws(JSONError) -> UInt8 {
    guard at < bytes.count else { throw .unexpectedEnd }
    at += 1
    return bytes[at - 1]
  }

  mutating func expect(_ word: StaticString) throws(JSONError) {
    for i in 0..<word.utf8CodeUnitCount where try next() != word.utf8Start[i] {
      throw .unexpectedByte(bytes[at - 1], offset: at - 1)
    }
  }

  mutating func parseValue(depth: Int) throws(JSONError) -> JSON {
    guard depth < depthMax else { throw .tooDeep(depthMax: depthMax, offset: at) }
    skipSpace()
    guard at < bytes.count else { throw .unexpectedEnd }
    switch bytes[at] {
    case UInt8(ascii: "{"): return .object(try parseObject(depth: depth))
    case UInt8(ascii: "["): return .array(try parseArray(depth: depth))
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"):
      try expect("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try expect("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try expect("null")
      return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
    case let other: throw .unexpectedByte(other, offset: at)
    }
  }

  mutating func parseObject(depth: Int) throws(JSONError) -> JSONObject {
    at += 1
    var object = JSONObject()
    skipSpace()
    if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
      at += 1
      return object
    }
    while true {
      skipSpace()
      guard at < bytes.count else { throw .unexpectedEnd }
      guard bytes[at] == UInt8(ascii: "\"") else { throw .unexpectedByte(bytes[at], offset: at) }
      let start = at
      let key = try parseString()
      skipSpace()
      guard try next() == UInt8(ascii: ":") else { throw .unexpectedByte(bytes[at - 1], offset: at - 1) }
      let value = try parseValue(depth: depth + 1)
      guard object.append(key: key, value: value) else { throw .duplicateKey(key, offset: start) }
      skipSpace()
      let separator = try next()
      if separator == UInt8(ascii: "}") { return object }
      guard separator == UInt8(ascii: ",") else { throw .unexpectedByte(separator, offset: at - 1) }
    }
  }

  mutating func parseArray(depth: Int) throws(JSONError) -> [JSON] {
    at += 1
    var array: [JSON] = []
    skipSpace()
    if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
      at += 1
      return array
    }
    while true {
      array.append(try parseValue(depth: depth + 1))
      skipSpace()
      let separator = try next()
      if separator == UInt8(ascii: "]") { return array }
      guard separator == UInt8(ascii: ",") else { throw .unexpectedByte(separator, offset: at - 1) }
    }
  }

  mutating func parseNumber() throws(JSONError) -> JSONNumber {
    let start = at
    func isDigit(_ b: UInt8) -> Bool { b >= 0x30 && b <= 0x39 }
    if bytes[at] == UInt8(ascii: "-") { at += 1 }
    guard at < bytes.count, isDigit(bytes[at]) else { throw .invalidNumber(offset: start) }
    if bytes[at] == UInt8(ascii: "0") {
      at += 1
    } else {
      while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      guard at < bytes.count, isDigit(bytes[at]) else { throw .invalidNumber(offset: start) }
      while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    }
    if at < bytes.count, bytes[at] == UInt8(ascii: "e") || bytes[at] == UInt8(ascii: "E") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      guard at < bytes.count, isDigit(bytes[at]) else { throw .invalidNumber(offset: start) }
      while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    }
    guard at - start <= 400 else { throw .invalidNumber(offset: start) }
    return JSONNumber(validated: String(decoding: bytes[start..<at], as: UTF8.self))
  }

  mutating func parseString() throws(JSONError) -> String {
    at += 1
    let start = at
    // The common case has no escapes and is validated in one go.
    while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20 {
      at += 1
    }
    guard at < bytes.count else { throw .unexpectedEnd }
    if bytes[at] == UInt8(ascii: "\"") {
      at += 1
      guard let s = String(validating: bytes[start..<(at - 1)], as: UTF8.self) else {
        throw .invalidUTF8(offset: start)
      }
      return s
    }
    var out = Array(bytes[start..<at])
    while true {
      let b = try next()
      switch b {
      case UInt8(ascii: "\""):
        guard let s = String(validating: out, as: UTF8.self) else { throw .invalidUTF8(offset: start) }
        return s
      case UInt8(ascii: "\\"): try parseEscape(into: &out)
      case 0..<0x20: throw .unexpectedByte(b, offset: at - 1)
      default: out.append(b)
      }
    }
  }

  mutating func parseEscape(into out: inout [UInt8]) throws(JSONError) {
    let start = at - 1
    switch try next() {
    case UInt8(ascii: "\""): out.append(0x22)
    case UInt8(ascii: "\\"): out.append(0x5C)
    case UInt8(ascii: "/"): out.append(0x2F)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      var code = try parseHex4(start)
      if code >= 0xD800 && code < 0xDC00 {
        guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else {
          throw .invalidEscape(offset: start)
        }
        let low = try parseHex4(start)
        guard low >= 0xDC00 && low < 0xE000 else { throw .invalidEscape(offset: start) }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw .invalidEscape(offset: start) }
      out.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw .invalidEscape(offset: start)
    }
  }

  mutating func parseHex4(_ start: Int) throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Hex.value(try next()) else { throw .invalidEscape(offset: start) }
      code = code << 4 | UInt32(digit)
    }
    return code
  }
}
