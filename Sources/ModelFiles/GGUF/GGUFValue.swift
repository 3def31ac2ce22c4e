/// The types of metadata values, by the numbers that GGUF files store.
///
/// Source: the GGUF specification, "File structure" (`gguf_metadata_value_type`).
enum GGUFValueType: UInt32 {
  case uint8 = 0
  case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// Bytes of a value in the file; nil where they vary.
  var bytes: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }
}

/// A metadata value. Strings and arrays stay in the file until they are asked for.
enum GGUFValue {
  case unsigned(UInt64)
  case signed(Int64)
  case float32(Float)
  case float64(Double)
  case bool(Bool)
  /// The bytes' place in the file.
  case string(Range<Int>)
  case array(GGUFArray)
}

/// An array in the file whose structure has been checked.
struct GGUFArray {
  let type: GGUFValueType
  let count: Int
  /// The elements' place in the file.
  let range: Range<Int>
}

extension GGUFReader {
  /// Deeper arrays are refused. Nothing known nests at all.
  static let depthMax = 4
  /// More elements than any vocabulary has merges.
  static let elementsMax = 1 << 24

  mutating func valueType(key: String) throws(GGUFRejection) -> GGUFValueType {
    let number = try integer(UInt32.self)
    guard let type = GGUFValueType(rawValue: number) else { throw .unknownValueType(file: file, key: key, number) }
    return type
  }

  mutating func value(_ type: GGUFValueType, key: String, depth: Int = 0) throws(GGUFRejection) -> GGUFValue {
    switch type {
    case .uint8: return .unsigned(UInt64(try integer(UInt8.self)))
    case .uint16: return .unsigned(UInt64(try integer(UInt16.self)))
    case .uint32: return .unsigned(UInt64(try integer(UInt32.self)))
    case .uint64: return .unsigned(try integer(UInt64.self))
    case .int8: return .signed(Int64(try integer(Int8.self)))
    case .int16: return .signed(Int64(try integer(Int16.self)))
    case .int32: return .signed(Int64(try integer(Int32.self)))
    case .int64: return .signed(try integer(Int64.self))
    case .float32: return .float32(Float(bitPattern: try integer(UInt32.self)))
    case .float64: return .float64(Double(bitPattern: try integer(UInt64.self)))
    case .bool:
      let byte = try integer(UInt8.self)
      guard byte <= 1 else { throw .badBool(file: file, key: key, byte) }
      return .bool(byte == 1)
    case .string: return .string(try string("the value of \(quoted(key))"))
    case .array: return .array(try array(key: key, depth: depth))
    }
  }

  private mutating func array(key: String, depth: Int) throws(GGUFRejection) -> GGUFArray {
    guard depth < GGUFReader.depthMax else {
      throw .nestedTooDeeply(file: file, key: key, depthMax: GGUFReader.depthMax)
    }
    let type = try valueType(key: key)
    // A string takes its length, an array its type and count.
    let bytesMin = type.bytes ?? (type == .string ? 8 : 12)
    let count = try count(of: "elements of \(quoted(key))", max: GGUFReader.elementsMax, bytesMin: bytesMin)
    let start = offset
    if let size = type.bytes, type != .bool {
      _ = try skip(count * size)
    } else {
      for _ in 0..<count { _ = try value(type, key: key, depth: depth + 1) }
    }
    return GGUFArray(type: type, count: count, range: start..<offset)
  }
}
