/// What can be said about a model directory before its weights are there.
public enum ImportPreflight {
  /// Refuses a model that an import would refuse for its configuration.
  ///
  /// - Throws: ``ImportRejection``, ``FileFailure``.
  public static func check(directory: String) throws {
    let documents = try CheckpointDocuments(place: directory) { name, bytesMax in
      guard try FileSystem.kind(of: "\(directory)/\(name)") != nil else { return nil }
      return try FileSystem.contents(of: "\(directory)/\(name)", bytesMax: bytesMax)
    }
    _ = try documents.configuration()
  }

  /// The names of the files that a safetensors index lists.
  ///
  /// - Throws: ``ImportRejection``, ``FileFailure``, ``FileTooLarge``.
  public static func shards(index path: String) throws -> [String] {
    try SafetensorsIndex(FileSystem.contents(of: path, bytesMax: SafetensorsIndex.bytesMax)).shards
  }
}
