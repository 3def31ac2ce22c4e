import Digests
import Foundation
import ModelFiles

/// A fixture's directory in memory, to be changed and written.
struct CheckpointCopy {
  private(set) var files: [String: [UInt8]] = [:]

  init(_ fixture: ArchitectureFixture) {
    let root = fixture.directory
    for name in FileManager.default.enumerator(atPath: root)!.compactMap({ $0 as? String }) {
      if let data = FileManager.default.contents(atPath: "\(root)/\(name)") { files[name] = Array(data) }
    }
  }

  init(_ name: String) { self.init(ArchitectureFixture(name: name, weights: .eightBit)) }

  /// Sets a member of a JSON file; nil removes it, and a path leads into objects and arrays: `rope_parameters.factor`.
  mutating func set(_ path: String, _ value: JSON?, in file: String = "config.json") {
    guard let bytes = files[file], let json = try? JSON.parse(bytes) else { return }
    files[file] = Array(CheckpointCopy.setting(json, path.split(separator: ".")[...], value).text().utf8)
  }

  private static func setting(_ json: JSON, _ path: ArraySlice<Substring>, _ value: JSON?) -> JSON {
    guard let key = path.first else { return value ?? .null }
    if var array = json.array, let i = Int(key), array.indices.contains(i) {
      array[i] = setting(array[i], path.dropFirst(), value)
      return .array(array)
    }
    guard var object = json.object else { return json }
    let key1 = String(key)
    object[key1] = path.count == 1 ? value : setting(object[key1] ?? [:], path.dropFirst(), value)
    return .object(object)
  }

  mutating func replace(_ file: String, _ bytes: [UInt8]?) { files[file] = bytes }

  var config: JSON { (try? JSON.parse(files["config.json"] ?? [])) ?? .null }

  /// Renames tensors in `model.safetensors`.
  mutating func renameTensors(_ rename: (String) -> String) {
    changeWeights { header, _ in
      var renamed = JSONObject()
      for (name, value) in header.members { renamed[name == "__metadata__" ? name : rename(name)] = value }
      header = renamed
    }
  }

  /// Appends a tensor of zeros.
  mutating func addTensor(_ name: String, shape: [Int], type: String = "F16", bytes: Int = 2) {
    changeWeights { header, data in
      let end = data.count + shape.reduce(bytes, *)
      header[name] = [
        "dtype": .string(type), "shape": .array(shape.map { .integer($0) }),
        "data_offsets": [.integer(data.count), .integer(end)],
      ]
      data += [UInt8](repeating: 0, count: end - data.count)
    }
  }

  private mutating func changeWeights(_ change: (inout JSONObject, inout [UInt8]) -> Void) {
    guard let bytes = files["model.safetensors"] else { return }
    let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    guard var header = try? JSON.parse(Array(bytes[8..<(8 + length)])).object else { return }
    var data = Array(bytes[(8 + length)...])
    change(&header, &data)
    let text = Array(JSON.object(header).text().utf8)
    files["model.safetensors"] = UInt64(text.count).littleEndianBytes + text + data
  }

  func write() -> TemporaryFolder {
    let folder = TemporaryFolder()
    for (name, bytes) in files {
      let path = (name as NSString).deletingLastPathComponent
      if !path.isEmpty {
        try? FileManager.default.createDirectory(atPath: "\(folder.path)/\(path)", withIntermediateDirectories: true)
      }
      folder.write(bytes, name)
    }
    return folder
  }
}
