import TestSupport

extension TestFiles {
  /// The folder of vectors that other projects wrote; nil when `EVIDENT_SHARED` is unset.
  static let shared = environment("EVIDENT_SHARED")
}
