/// Paths of files below a signed folder: components joined by `/`.
enum FileName {
  /// What is wrong with a path; nil when nothing is.
  static func problem(_ path: String) -> String? {
    guard path.utf8.count <= SignatureLimits.nameBytesMax else {
      return "it has more than \(SignatureLimits.nameBytesMax) bytes"
    }
    let components = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard components.count <= SignatureLimits.componentsMax else {
      return "it has more than \(SignatureLimits.componentsMax) components"
    }
    for component in components {
      if component.isEmpty { return "a component of it is empty" }
      if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) {
        return "it does not lead straight down"
      }
      if component.contains(0) { return "it holds a zero byte" }
    }
    return nil
  }

  /// Component by component, each by its bytes.
  static func precedes(_ a: String, _ b: String) -> Bool {
    let (x, y) = (components(a), components(b))
    for (p, q) in zip(x, y) where !p.elementsEqual(q) { return p.lexicographicallyPrecedes(q) }
    return x.count < y.count
  }

  /// Whether `path` is `ancestor` or lies below it.
  static func isBelow(_ path: String, _ ancestor: String) -> Bool {
    components(path).starts(with: components(ancestor)) { $0.elementsEqual($1) }
  }

  private static func components(_ path: String) -> [Substring.UTF8View] {
    path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0).utf8 }
  }
}
