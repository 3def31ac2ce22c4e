import Digests
import ModelGraph

/// What sentence-transformers keeps beside an encoder: how residuals become one vector.
///
/// Source: docs/spec/model.md, "Architectures".
struct SentenceModules {
  static let fileName = "modules.json"

  let pooling: Pooling
  let normalised: Bool

  /// - Parameters:
  ///   - modules: the content of `modules.json`.
  ///   - configuration: reads the pooling's `config.json` below the folder that it names.
  init(
    _ modules: JSON, configuration: (String) throws -> HuggingFaceMembers
  ) throws {
    let file = SentenceModules.fileName
    guard let list = modules.array, !list.isEmpty, list.count <= 3 else {
      throw ImportRejection.wrongType(file: file, key: "the content", expected: "an array of one to three modules")
    }
    var pooling: Pooling?
    for (i, module) in list.enumerated() {
      let members = try HuggingFaceMembers(module, file: file, path: "[\(i)]")
      let type = try members.string("type") ?? ""
      let path = try members.string("path") ?? ""
      switch (i, type.split(separator: ".").last.map(String.init)) {
      case (0, "Transformer"):
        guard path.isEmpty else { throw members.unsupported("path", found: quoted(path), supported: "\"\"") }
      case (1, "Pooling"):
        guard SentenceModules.isPlain(path) else {
          throw members.unsupported("path", found: quoted(path), supported: "a plain folder name")
        }
        pooling = try SentenceModules.pooling(try configuration("\(path)/config.json"))
      case (2, "Normalize"): break
      default:
        throw members.unsupported(
          "type", found: quoted(type), supported: "Transformer, then Pooling, then perhaps Normalize")
      }
    }
    guard let pooling else {
      throw ImportRejection.missingValue(file: file, key: "a module of type Pooling")
    }
    self.pooling = pooling
    normalised = list.count == 3
  }

  /// A path that leads out of the folder would let the file read any other.
  private static func isPlain(_ path: String) -> Bool {
    !path.isEmpty && path.utf8.count <= 64 && path.utf8.first != UInt8(ascii: ".")
      && path.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".contains(Character($0)))
      }
  }

  private static func pooling(_ c: HuggingFaceMembers) throws(ImportRejection) -> Pooling {
    let modes: [(key: String, pooling: Pooling)] = [
      ("pooling_mode_cls_token", .cls), ("pooling_mode_lasttoken", .last), ("pooling_mode_mean_tokens", .mean),
    ]
    var found: [Pooling] = []
    for (key, value) in c.object.members where key.utf8.starts(with: "pooling_mode_".utf8) {
      guard try c.bool(key, default: false) else { continue }
      guard let mode = modes.first(where: { $0.key == key }) else {
        throw c.unsupported(
          key, found: HuggingFaceMembers.shown(value), supported: modes.map(\.key).joined(separator: ", "))
      }
      found.append(mode.pooling)
    }
    guard found.count == 1, let pooling = found.first else {
      throw c.unsupported(
        "pooling_mode_mean_tokens", found: "one of \(found.count) modes that are true", supported: "exactly one mode")
    }
    return pooling
  }
}
