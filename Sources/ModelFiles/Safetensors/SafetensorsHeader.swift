import Digests

/// What a safetensors header says about one tensor, checked against the file.
public struct SafetensorsEntry: Sendable, Equatable {
  public let name: String
  public let type: SafetensorsType
  public let shape: [Int]
  /// Bytes from the start of the file.
  public let range: Range<Int>

  /// Nil for numbers that an import cannot read.
  public var format: FloatFormat? { FloatFormat(rawValue: type.rawValue) }
  public var elements: Int { range.count / type.bytes }
}

/// The types of numbers that the format knows; imports read those of ``FloatFormat``.
public enum SafetensorsType: String, Sendable, CaseIterable {
  case f64 = "F64"
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case f8e4m3 = "F8_E4M3"
  case f8e5m2 = "F8_E5M2"
  case i64 = "I64"
  case u64 = "U64"
  case i32 = "I32"
  case u32 = "U32"
  case i16 = "I16"
  case u16 = "U16"
  case i8 = "I8"
  case u8 = "U8"
  case bool = "BOOL"

  public var bytes: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .f8e4m3, .f8e5m2, .i8, .u8, .bool: 1
    }
  }
}

/// The header of a safetensors file.
///
/// Source: https://huggingface.co/docs/safetensors, "Format". An 8-byte little-endian length, that many
/// bytes of JSON, then the data, which the tensors cover without overlap or gap.
public struct SafetensorsHeader: Sendable, Equatable {
  /// The limit that the format's own implementation sets.
  public static let bytesMax = 100_000_000
  /// Bounds the memory that parsing takes: no model comes near it.
  static let commasMax = 1 << 20

  /// In the order of their data.
  public let entries: [SafetensorsEntry]

  /// - Parameter file: the name for messages.
  public init(_ bytes: UnsafeRawBufferPointer, file: String) throws(SafetensorsRejection) {
    guard bytes.count >= 8 else { throw .tooShort(file: file, bytes: bytes.count) }
    let stated = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard stated <= UInt64(SafetensorsHeader.bytesMax) else {
      throw .headerTooLong(file: file, stated: stated, bytesMax: SafetensorsHeader.bytesMax)
    }
    let length = Int(stated)
    guard length <= bytes.count - 8 else {
      throw .headerBeyondFile(file: file, stated: length, bytes: bytes.count)
    }
    let text = Array(UnsafeRawBufferPointer(rebasing: bytes[8..<(8 + length)]))
    guard text.count(where: { $0 == UInt8(ascii: ",") }) <= SafetensorsHeader.commasMax else {
      throw .tooManyEntries(file: file, entriesMax: SafetensorsHeader.commasMax)
    }
    let json: JSON
    do throws(JSONError) {
      json = try JSON.parse(text, bytesMax: SafetensorsHeader.bytesMax, depthMax: 4)
    } catch {
      throw .headerJSON(file: file, error)
    }
    guard let root = json.object else { throw .header(file: file, tensor: nil, problem: "is not a JSON object") }
    var entries: [SafetensorsEntry] = []
    for (key, value) in root.members {
      if key == "__metadata__" {
        guard let members = value.object?.members, members.allSatisfy({ $0.value.string != nil }) else {
          throw .header(file: file, tensor: key, problem: "is not an object of strings")
        }
        continue
      }
      entries.append(
        try SafetensorsHeader.entry(
          key, value, dataStart: 8 + length, dataBytes: bytes.count - 8 - length, file: file))
    }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try SafetensorsHeader.checkCover(entries, dataStart: 8 + length, fileBytes: bytes.count, file: file)
    self.entries = entries
  }

  private static func entry(
    _ name: String, _ json: JSON, dataStart: Int, dataBytes: Int, file: String
  ) throws(SafetensorsRejection) -> SafetensorsEntry {
    guard let object = json.object else { throw .header(file: file, tensor: name, problem: "is not an object") }
    for key in object.keys where !["dtype", "shape", "data_offsets"].contains(key) {
      throw .header(file: file, tensor: name, problem: "has an unknown member \(quoted(key))")
    }
    guard let formatName = object["dtype"]?.string else {
      throw .header(file: file, tensor: name, problem: "has no dtype")
    }
    guard let type = SafetensorsType(rawValue: formatName) else {
      throw .unsupportedFormat(file: file, tensor: name, found: formatName)
    }
    guard let shape = integers(object["shape"]), shape.count <= 8 else {
      throw .header(file: file, tensor: name, problem: "has no shape of at most 8 sizes")
    }
    guard let offsets = integers(object["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1] else {
      throw .header(file: file, tensor: name, problem: "has no data_offsets of two increasing numbers")
    }
    guard offsets[1] <= dataBytes else {
      throw .beyondFile(file: file, tensor: name, end: offsets[1], bytes: dataBytes)
    }
    var bytes = type.bytes
    for extent in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      // A zero extent later would hide the overflow, and such a tensor is nonsense anyway.
      bytes = overflow ? Int.max : product
      if overflow { break }
    }
    let stated = offsets[1] - offsets[0]
    guard stated == bytes else {
      throw .extent(file: file, tensor: name, stated: stated, shape: shape, type: type)
    }
    return SafetensorsEntry(
      name: name, type: type, shape: shape, range: (dataStart + offsets[0])..<(dataStart + offsets[1]))
  }

  /// Non-negative integers, or nil.
  private static func integers(_ json: JSON?) -> [Int]? {
    guard let array = json?.array else { return nil }
    var list: [Int] = []
    for item in array {
      guard let n = item.integer, n >= 0 else { return nil }
      list.append(n)
    }
    return list
  }

  private static func checkCover(
    _ entries: [SafetensorsEntry], dataStart: Int, fileBytes: Int, file: String
  ) throws(SafetensorsRejection) {
    var end = dataStart
    var previous = ""
    for entry in entries {
      guard entry.range.lowerBound >= end else { throw .overlap(file: file, tensor: entry.name, after: previous) }
      guard entry.range.lowerBound == end else {
        throw .gap(file: file, before: entry.name, bytes: entry.range.lowerBound - end)
      }
      end = entry.range.upperBound
      previous = entry.name
    }
    guard end == fileBytes else { throw .gap(file: file, before: nil, bytes: fileBytes - end) }
  }
}
