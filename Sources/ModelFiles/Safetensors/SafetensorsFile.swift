/// A memory-mapped safetensors file whose header has been checked.
public struct SafetensorsFile: Sendable {
  /// The file's name without its folder.
  public let name: String
  public let header: SafetensorsHeader
  let mapping: MappedFile

  /// - Throws: ``FileFailure``, ``SafetensorsRejection``.
  public init(directory: String, name: String) throws {
    mapping = try MappedFile(path: directory + "/" + name)
    mapping.adviseSequential()
    self.name = name
    header = try SafetensorsHeader(mapping.buffer, file: name)
  }

  public var tensors: [SourceTensor] {
    header.entries.map {
      SourceTensor(
        name: $0.name, shape: $0.shape, encoding: .floats($0.format), mapping: mapping, range: $0.range, file: name)
    }
  }
}
