import Foundation

/// The checkout under test, read as text.
enum SourceTree {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  struct File {
    let path: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// The lines without comments; string literals stay.
    var code: [(number: Int, text: Substring)] {
      lines.enumerated().compactMap { index, line in
        let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
        return code.allSatisfy(\.isWhitespace) ? nil : (index + 1, code)
      }
    }
  }

  /// Files below `folder` whose names end in one of `extensions`, sorted by path.
  static func files(_ folder: String, _ extensions: Set<String>) throws -> [File] {
    let base = root.appending(path: folder)
    guard let walker = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { return [] }
    return try walker.compactMap { $0 as? URL }
      .filter { extensions.contains($0.pathExtension) }
      .sorted { $0.path() < $1.path() }
      .map { File(path: folder + $0.path().dropFirst(base.path().count), text: try String(contentsOf: $0, encoding: .utf8)) }
  }

  /// The modules a Swift file imports.
  static func imports(_ file: File) -> [String] {
    file.lines.compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard let at = words.firstIndex(of: "import"), words[..<at].allSatisfy({ modifiers.contains($0) }) else { return nil }
      let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "typealias", "var", "let"]
      let rest = words[(at + 1)...].drop { kinds.contains($0) }
      return rest.first.map { String($0.split(separator: ".")[0]) }
    }
  }
  private static let modifiers: Set<String> = ["public", "package", "internal", "private", "fileprivate", "@preconcurrency"]
}
