/// What to fetch: `org/name`, `org/name@revision`, `org/name:file`, `org/name@revision:file`.
public struct HubReference: Equatable, Sendable, CustomStringConvertible {
  /// `org/name`
  public let repository: String
  /// A branch, a tag or a commit.
  public let revision: String
  /// A file of the repository, or a quantisation such as `Q4_K_M`; nil for the model as such.
  public let file: String?

  public static let standardRevision = "main"

  /// - Throws: ``HubRejection/invalidReference(_:problem:)``.
  public init(_ text: String) throws(HubRejection) {
    func refuse(_ problem: String) -> HubRejection { .invalidReference(text, problem: problem) }
    let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
    let head = text[..<(colon ?? text.endIndex)]
    let at = head.utf8.firstIndex(of: UInt8(ascii: "@"))
    let repository = String(head[..<(at ?? head.endIndex)])
    let revision = at.map { String(head[head.utf8.index(after: $0)...]) } ?? HubReference.standardRevision
    let file = colon.map { String(text[text.utf8.index(after: $0)...]) }

    let parts = repository.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw refuse("it must be an organisation or user, a slash, and a name") }
    for part in parts {
      // The hub's own rules; "--" separates the parts in the names of its cache's folders.
      guard let first = part.first, part.count <= 96, first != 0x2D, first != 0x2E,
        part.allSatisfy({ HubReference.isWord($0) || $0 == 0x2D || $0 == 0x2E }),
        !HubReference.contains(part, "--"), !HubReference.contains(part, "..")
      else { throw refuse("\"\(part)\" cannot be part of a repository's name") }
    }
    guard let first = revision.utf8.first, revision.utf8.count <= 256, first != 0x2D, first != 0x2F,
      revision.utf8.last != 0x2F, !HubReference.contains(revision.utf8[...], ".."),
      !HubReference.contains(revision.utf8[...], "//"),
      revision.utf8.allSatisfy({ HubReference.isWord($0) || [0x2B, 0x2D, 0x2E, 0x2F].contains($0) })
    else { throw refuse("\"\(revision)\" is not a branch, tag or commit") }
    if let file {
      guard RemoteFile.isSafePath(file) else { throw refuse("\"\(file)\" is not a file name or a quantisation") }
    }
    self.repository = repository
    self.revision = revision
    self.file = file
  }

  /// The part after the slash.
  public var name: String { String(repository.split(separator: "/")[1]) }

  public var description: String {
    repository + (revision == HubReference.standardRevision ? "" : "@\(revision)") + (file.map { ":\($0)" } ?? "")
  }

  /// A letter, a digit or an underscore.
  static func isWord(_ b: UInt8) -> Bool {
    (0x30...0x39).contains(b) || (0x41...0x5A).contains(b) || (0x61...0x7A).contains(b) || b == 0x5F
  }

  private static func contains(_ text: Substring.UTF8View, _ pair: String) -> Bool {
    zip(text, text.dropFirst()).contains { [$0, $1].elementsEqual(pair.utf8) }
  }
}
