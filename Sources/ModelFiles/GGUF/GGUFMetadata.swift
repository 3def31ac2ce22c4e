package import Digests

/// The metadata of a GGUF file, with access by type. An absent key is nil; one of another type is refused.
package struct GGUFMetadata {
  private let values: [String: GGUFValue]
  private let mapping: MappedFile
  /// The file's name, for messages.
  package let file: String

  init(values: [String: GGUFValue], mapping: MappedFile, file: String) {
    self.values = values
    self.mapping = mapping
    self.file = file
  }

  /// Sorted by bytes.
  package var keys: [String] { values.keys.sorted(by: FileSystem.precedes) }

  package func has(_ key: String) -> Bool { values[key] != nil }

  /// A natural number of any integer type.
  package func integer(_ key: String) throws(GGUFRejection) -> Int? {
    guard let value = values[key] else { return nil }
    guard let n = GGUFMetadata.natural(value) else {
      throw .wrongType(file: file, key: key, expected: "a natural number")
    }
    return n
  }

  private static func natural(_ value: GGUFValue) -> Int? {
    switch value {
    case .unsigned(let n): Int(exactly: n)
    case .signed(let n): n >= 0 ? Int(exactly: n) : nil
    default: nil
    }
  }

  package func bool(_ key: String) throws(GGUFRejection) -> Bool? {
    guard let value = values[key] else { return nil }
    guard case .bool(let b) = value else { throw .wrongType(file: file, key: key, expected: "true or false") }
    return b
  }

  /// A finite number as the shortest decimal that stands for exactly this value of its type.
  package func number(_ key: String) throws(GGUFRejection) -> JSONNumber? {
    guard let value = values[key] else { return nil }
    switch value {
    case .float32(let x) where x.isFinite: return JSONNumber(validated: x.description)
    case .float64(let x) where x.isFinite: return JSONNumber(validated: x.description)
    case .unsigned, .signed:
      if let n = GGUFMetadata.natural(value) { return JSONNumber(n) }
    default: break
    }
    throw .wrongType(file: file, key: key, expected: "a finite number")
  }

  /// A string's bytes.
  package func bytes(_ key: String) throws(GGUFRejection) -> [UInt8]? {
    guard let value = values[key] else { return nil }
    guard case .string(let range) = value else { throw .wrongType(file: file, key: key, expected: "a string") }
    return Array(mapping.buffer[range])
  }

  package func text(_ key: String) throws(GGUFRejection) -> String? {
    guard let bytes = try bytes(key) else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .wrongType(file: file, key: key, expected: "valid UTF-8")
    }
    return text
  }

  // MARK: Arrays

  /// Arrays that are read into memory take at most this much of the file.
  static let arrayBytesMax = 64 << 20

  private func array(_ key: String, _ expected: String, countMax: Int) throws(GGUFRejection) -> GGUFArray? {
    guard let value = values[key] else { return nil }
    guard case .array(let array) = value else { throw .wrongType(file: file, key: key, expected: expected) }
    let what = quoted(key)
    guard array.count <= countMax else {
      throw .tooMany(file: file, what: "elements of \(what)", count: UInt64(array.count), countMax: countMax)
    }
    guard array.range.count <= GGUFMetadata.arrayBytesMax else {
      throw .tooMany(
        file: file, what: "bytes of \(what)", count: UInt64(array.range.count), countMax: GGUFMetadata.arrayBytesMax)
    }
    return array
  }

  /// The elements of an array of strings.
  package func strings(_ key: String, countMax: Int) throws(GGUFRejection) -> [[UInt8]]? {
    let expected = "an array of strings"
    guard let array = try array(key, expected, countMax: countMax) else { return nil }
    guard array.type == .string else { throw .wrongType(file: file, key: key, expected: expected) }
    var reader = GGUFReader(UnsafeRawBufferPointer(rebasing: mapping.buffer[array.range]), file: file)
    var list: [[UInt8]] = []
    list.reserveCapacity(array.count)
    for _ in 0..<array.count { list.append(Array(reader.bytes[try reader.string("an element of \(quoted(key))")])) }
    return list
  }

  private func scalars(_ key: String, _ array: GGUFArray) throws(GGUFRejection) -> [GGUFValue] {
    var reader = GGUFReader(UnsafeRawBufferPointer(rebasing: mapping.buffer[array.range]), file: file)
    var list: [GGUFValue] = []
    list.reserveCapacity(array.count)
    for _ in 0..<array.count { list.append(try reader.value(array.type, key: key)) }
    return list
  }

  /// The elements of an array of integers of any type.
  package func integers(_ key: String, countMax: Int) throws(GGUFRejection) -> [Int]? {
    let expected = "an array of natural numbers"
    guard let array = try array(key, expected, countMax: countMax) else { return nil }
    guard array.type != .string, array.type != .array else {
      throw .wrongType(file: file, key: key, expected: expected)
    }
    var list: [Int] = []
    for value in try scalars(key, array) {
      guard let n = GGUFMetadata.natural(value) else { throw .wrongType(file: file, key: key, expected: expected) }
      list.append(n)
    }
    return list
  }

  /// The bits of an array of binary32 numbers.
  package func floatBits(_ key: String, countMax: Int) throws(GGUFRejection) -> [UInt32]? {
    let expected = "an array of 32-bit floating-point numbers"
    guard let array = try array(key, expected, countMax: countMax) else { return nil }
    guard array.type == .float32 else { throw .wrongType(file: file, key: key, expected: expected) }
    return try scalars(key, array).map { if case .float32(let x) = $0 { x.bitPattern } else { 0 } }
  }

  /// The elements of an array of bytes, with or without sign.
  func byteArray(_ key: String, countMax: Int) throws(GGUFRejection) -> [UInt8]? {
    let expected = "an array of bytes"
    guard let array = try array(key, expected, countMax: countMax) else { return nil }
    guard array.type == .uint8 || array.type == .int8 else {
      throw .wrongType(file: file, key: key, expected: expected)
    }
    return Array(mapping.buffer[array.range])
  }

  /// Elements of an array of booleans.
  package func bools(_ key: String, countMax: Int) throws(GGUFRejection) -> [Bool]? {
    let expected = "an array of booleans"
    guard let array = try array(key, expected, countMax: countMax) else { return nil }
    guard array.type == .bool else { throw .wrongType(file: file, key: key, expected: expected) }
    return try scalars(key, array).map { if case .bool(let b) = $0 { b } else { false } }
  }

  /// Whether the value is an array.
  package func isArray(_ key: String) -> Bool { if case .array? = values[key] { true } else { false } }
}
