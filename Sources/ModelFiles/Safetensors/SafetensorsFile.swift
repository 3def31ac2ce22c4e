/// A memory-mapped safetensors file whose header has been checked.
public struct SafetensorsFile: Sendable {
  /// The file's name without its folder.
  public let name: String
  public let header: SafetensorsHeader
  let mapping: MappedFile

  /// - Throws: ``FileFailure``, ``SafetensorsRejection``.
  public init(directory: String, name: String) throws {
    mapping = try MappedFile(path: directory + "/" + name)
    self.name = name
    header = try SafetensorsHeader(mapping.buffer, file: name)
  }

  public var tensors: [FloatTensor] { header.entries.map { FloatTensor(entry: $0, file: self) } }
}

/// A tensor of floating-point numbers in a mapped file.
public struct FloatTensor: Sendable {
  public let entry: SafetensorsEntry
  public let file: SafetensorsFile

  public var name: String { entry.name }
  public var shape: [Int] { entry.shape }

  /// Valid while this value lives.
  var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.mapping.buffer[entry.range]) }

  /// Elements `range`, widened to binary32. For the importer's inner loop, which owns the target.
  func widen(_ range: Range<Int>, into target: UnsafeMutableBufferPointer<Float>) {
    let size = entry.format.bytes
    let part = buffer[(range.lowerBound * size)..<(range.upperBound * size)]
    entry.format.widen(UnsafeRawBufferPointer(rebasing: part), into: target)
  }
}
