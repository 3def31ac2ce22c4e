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
    header.entries.compactMap { entry in
      entry.format.map {
        SourceTensor(
          name: entry.name, shape: entry.shape, encoding: .floats($0), mapping: mapping, range: entry.range,
          file: name)
      }
    }
  }

  /// Tensors of types that are not imported.
  var others: [OtherTensor] {
    header.entries.filter { $0.format == nil }.map {
      OtherTensor(
        name: $0.name, rejection: .unsupportedFormat(file: name, tensor: $0.name, found: $0.type.rawValue))
    }
  }
}
