import CEmbeddedModel
public import ModelGraph

/// The demonstration model that is part of the binary.
public enum EmbeddedModel {
  public static let name = "evident-tiny"

  /// The pack's bytes, which live as long as the process.
  public static var pack: ModelBytes {
    ModelBytes(
      buffer: UnsafeRawBufferPointer(
        start: evident_embedded_model(), count: evident_embedded_model_length()),
      owner: nil)
  }

  /// - Throws: ``PackRejection`` or ``LoadRejection`` when the binary was built from a damaged pack.
  public static func load(checkingWeights: Bool = true) throws -> LoadedModel {
    try Pack(pack).load(checkingWeights: checkingWeights)
  }
}
