import HTTPTypes

/// Whether a client has what it asks for already.
///
/// Source: RFC 9110, sections 8.8.3 and 13.1.2.
enum EntityTag {
  /// Whether `If-None-Match` names a tag, by the weak comparison, or anything there is.
  ///
  /// - Parameter tag: a strong one with its quotation marks.
  static func isNamed(_ tag: String, in headers: HTTPFields) -> Bool {
    headers[values: .ifNoneMatch].contains { field in
      if field.allSatisfy({ " \t*".contains($0) }) && field.contains("*") { return true }
      return list(field[...]).contains(tag[...])
    }
  }

  /// The tags of a list without their `W/`, up to what is none.
  private static func list(_ field: Substring) -> [Substring] {
    var (tags, rest) = ([Substring](), field)
    while true {
      rest = rest.drop { " \t,".contains($0) }
      if rest.hasPrefix("W/") { rest = rest.dropFirst(2) }
      guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { return tags }
      tags.append(rest[...end])
      rest = rest[rest.index(after: end)...]
    }
  }
}
