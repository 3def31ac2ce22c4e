import TestSupport

extension TestFiles {
  /// The folder of vectors that other projects wrote; nil when `EVIDENT_SHARED` is unset.
  static let vectors = environment("EVIDENT_SHARED").map { $0 + "/vectors/tlog" }

  /// Files that belong to these tests.
  static let fixtures: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    parts.append("Fixtures")
    return parts.joined(separator: "/")
  }()
}
