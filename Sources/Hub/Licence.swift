import Digests
import Foundation
import ModelFiles

/// The licence that a model's own files state.
public enum Licence {
  /// An identifier that can be printed; nil for anything else.
  static func cleaned(_ text: String) -> String? {
    let text = text.trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\"'"))
    guard !text.isEmpty, text.utf8.count <= 128,
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else { return nil }
    return text
  }

  /// `license:` of a model card's front matter (YAML between two `---` lines), `license_name:` where it says "other".
  package static func of(card: String) -> String? {
    var lines = card.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    guard lines.popFirst()?.trimmingCharacters(in: .whitespaces) == "---" else { return nil }
    var values: [String: String] = [:]
    var listed: String?
    for line in lines.prefix(2000) {
      let text = line.trimmingCharacters(in: .whitespaces)
      if text == "---" { break }
      // The items of a list: the first one counts.
      if let key = listed, text.hasPrefix("- ") { values[key] = values[key] ?? cleaned(String(text.dropFirst(2))) }
      listed = nil
      for key in ["license", "license_name"] where line.hasPrefix(key + ":") && values[key] == nil {
        let value = line.dropFirst(key.count + 1).split(separator: " #", omittingEmptySubsequences: false).first ?? ""
        values[key] = cleaned(String(value))
        if values[key] == nil { listed = key }
      }
    }
    return values["license"] == "other" ? values["license_name"] ?? "other" : values["license"]
  }

  /// The licence in a folder's README.md or config.json; nil when neither states one.
  public static func of(folder: String) -> String? {
    func content(_ name: String) -> Data? {
      guard let file = FileHandle(forReadingAtPath: folder + "/" + name) else { return nil }
      defer { try? file.close() }
      return try? file.read(upToCount: 1 << 20)
    }
    if let card = content("README.md"), let licence = of(card: String(decoding: card, as: UTF8.self)) { return licence }
    guard let config = content("config.json"), let json = try? JSON.parse(Array(config)) else { return nil }
    return json["license"]?.string.flatMap(cleaned)
  }

  /// `general.license` of a GGUF file; nil when it states none or is no such file.
  public static func of(gguf path: String) -> String? {
    guard path.hasSuffix(".gguf"), let metadata = try? GGUFParts(path: path).metadata else { return nil }
    func value(_ key: String) -> String? { (try? metadata.text(key)).flatMap { $0 }.flatMap(cleaned) }
    let licence = value("general.license")
    return licence == "other" ? value("general.license.name") ?? licence : licence
  }
}
