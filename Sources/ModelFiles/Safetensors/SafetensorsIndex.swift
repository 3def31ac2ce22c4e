import Digests

/// `model.safetensors.index.json`: which shard holds which tensor.
struct SafetensorsIndex {
  static let fileName = "model.safetensors.index.json"
  static let bytesMax = 32 << 20
  static let shardsMax = 4096

  /// Tensor name to shard file name.
  let shardOf: [String: String]
  /// Sorted by bytes, each once.
  let shards: [String]

  init(_ bytes: [UInt8]) throws(ImportRejection) {
    let file = SafetensorsIndex.fileName
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes, bytesMax: SafetensorsIndex.bytesMax, depthMax: 8) } catch {
      throw .json(file: file, error)
    }
    guard let map = json["weight_map"]?.object else { throw .missingValue(file: file, key: "weight_map") }
    var shardOf: [String: String] = [:]
    for (tensor, value) in map.members {
      guard let shard = value.string else {
        throw .wrongType(file: file, key: "weight_map", expected: "an object of file names")
      }
      // A name that leads out of the folder would let the index read any file.
      guard shard.utf8.hasSuffix(".safetensors"), !shard.utf8.contains(UInt8(ascii: "/")),
        !shard.utf8.contains(0), shard.utf8.count <= 255
      else {
        throw .unsupportedValue(
          file: file, key: "weight_map", found: quoted(shard), supported: "plain *.safetensors names")
      }
      shardOf[tensor] = shard
    }
    shards = Set(shardOf.values).sorted(by: FileSystem.precedes)
    guard shards.count <= SafetensorsIndex.shardsMax else {
      throw .unsupportedValue(
        file: file, key: "weight_map", found: "\(shards.count) files",
        supported: "at most \(SafetensorsIndex.shardsMax)")
    }
    self.shardOf = shardOf
  }
}

extension String.UTF8View {
  func hasSuffix(_ suffix: String) -> Bool {
    count >= suffix.utf8.count && self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }
}
