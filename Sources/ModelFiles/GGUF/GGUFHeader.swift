/// What a GGUF file says about one tensor, as it is written.
package struct GGUFTensorInfo {
  let name: String
  /// Innermost first, as GGUF has it.
  let extents: [UInt64]
  let type: GGMLType
  /// From the start of the data.
  let offset: UInt64
}

/// The header of a GGUF file: metadata and tensor descriptions, checked for structure.
///
/// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
package struct GGUFHeader {
  static let keysMax = 1 << 16
  static let tensorsMax = 1 << 17
  /// The format allows more; no key comes near it.
  static let keyBytesMax = 1024
  static let tensorNameBytesMax = 255
  static let dimensionsMax = 4
  package static let alignmentMax = 1 << 20

  package let version: UInt32
  package let metadata: GGUFMetadata
  package let tensors: [GGUFTensorInfo]
  /// Where tensor data starts, from the start of the file.
  package let dataStart: Int
  package let alignment: Int

  /// - Parameter file: the name for messages.
  init(_ mapping: MappedFile, file: String) throws(GGUFRejection) {
    var reader = GGUFReader(mapping.buffer, file: file)
    guard mapping.buffer.prefix(4).elementsEqual("GGUF".utf8) else { throw .notGGUF(file: file) }
    _ = try reader.skip(4)
    version = try reader.integer(UInt32.self)
    // The version of a file of the other byte order has its number in the high half.
    guard version & 0xFFFF != 0 || version == 0 else { throw .bigEndian(file: file) }
    guard (2...3).contains(version) else { throw .unsupportedVersion(file: file, version) }
    // A tensor takes at least its name's length, dimensions, type and offset; a key its length, type and a byte.
    let tensorCount = try reader.count(of: "tensors", max: GGUFHeader.tensorsMax, bytesMin: 24)
    let keyCount = try reader.count(of: "metadata keys", max: GGUFHeader.keysMax, bytesMin: 13)
    var values: [String: GGUFValue] = [:]
    values.reserveCapacity(keyCount)
    for _ in 0..<keyCount {
      let key = try reader.name("a metadata key", max: GGUFHeader.keyBytesMax)
      let value = try reader.value(reader.valueType(key: key), key: key)
      guard values.updateValue(value, forKey: key) == nil else { throw .duplicateKey(file: file, key: key) }
    }
    metadata = GGUFMetadata(values: values, mapping: mapping, file: file)
    alignment = try GGUFHeader.alignment(metadata)
    var tensors: [GGUFTensorInfo] = []
    for _ in 0..<tensorCount { tensors.append(try GGUFHeader.tensor(&reader)) }
    self.tensors = tensors
    let start = (reader.offset + alignment - 1) & ~(alignment - 1)
    // A file without tensors may end right after its header.
    dataStart = min(start, mapping.count)
  }

  private static func alignment(_ metadata: GGUFMetadata) throws(GGUFRejection) -> Int {
    let key = "general.alignment"
    guard let alignment = try metadata.integer(key) else { return 32 }
    guard alignment > 0, alignment <= alignmentMax, alignment & (alignment - 1) == 0 else {
      throw .badAlignment(file: metadata.file, found: "\(alignment)")
    }
    return alignment
  }

  private static func tensor(_ reader: inout GGUFReader) throws(GGUFRejection) -> GGUFTensorInfo {
    let name = try reader.name("a tensor's name", max: tensorNameBytesMax)
    let dimensions = try reader.integer(UInt32.self)
    guard dimensions <= dimensionsMax else {
      throw .tensor(
        file: reader.file, tensor: name, problem: "has \(dimensions) dimensions; GGUF allows \(dimensionsMax)")
    }
    var extents: [UInt64] = []
    for _ in 0..<dimensions { extents.append(try reader.integer(UInt64.self)) }
    let type = GGMLType(number: try reader.integer(UInt32.self))
    return GGUFTensorInfo(name: name, extents: extents, type: type, offset: try reader.integer(UInt64.self))
  }
}
