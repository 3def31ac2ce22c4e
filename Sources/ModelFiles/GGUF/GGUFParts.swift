/// A model in one GGUF file, or in the parts that `gguf-split` makes of it.
///
/// Parts are named `NAME-00001-of-00003.gguf`; the first has the metadata, each says which one it is.
package struct GGUFParts {
  static let partsMax = 9999

  /// In order.
  package let files: [GGUFFile]

  /// The metadata of the whole model.
  package var metadata: GGUFMetadata { files[0].metadata }

  /// - Parameter path: the file, or any of the parts.
  /// - Throws: ``FileFailure``, ``GGUFRejection``.
  package init(path: String) throws {
    let file = try GGUFFile(path: path)
    guard let count = try file.metadata.integer("split.count"), count > 1 else {
      files = [file]
      return
    }
    guard count <= GGUFParts.partsMax else {
      throw GGUFRejection.tooMany(
        file: file.name, what: "parts", count: UInt64(count), countMax: GGUFParts.partsMax)
    }
    guard let (prefix, number) = GGUFParts.numbered(path, count: count) else {
      throw GGUFRejection.split(
        file: file.name,
        problem:
          "this is one of \(count) parts, but its name does not end in -00001-of-\(GGUFParts.padded(count)).gguf; "
          + "give it back its name")
    }
    files = try (1...count).map { part in
      let file = try part == number ? file : GGUFParts.open(GGUFParts.path(prefix, part, of: count))
      try GGUFParts.check(file, number: part, count: count)
      return file
    }
    let found = files.reduce(0) { $0 + $1.header.tensors.count }
    if let stated = try metadata.integer("split.tensors.count"), stated != found {
      throw GGUFRejection.split(
        file: metadata.file,
        problem: "the model has \(stated) tensors, but its parts have \(found); download them again")
    }
  }

  private static func open(_ path: String) throws -> GGUFFile {
    guard try FileSystem.kind(of: path) != nil else {
      throw ImportRejection.missingFile(path, hint: "it is a part of the model; download it")
    }
    return try GGUFFile(path: path)
  }

  private static func check(_ file: GGUFFile, number: Int, count: Int) throws(GGUFRejection) {
    let stated = (try file.metadata.integer("split.no"), try file.metadata.integer("split.count"))
    guard stated.0 == number - 1, stated.1 == count else {
      func shown(_ n: Int?) -> String { n.map { "\($0)" } ?? "nothing" }
      throw .split(
        file: file.name,
        problem: "as part \(number) of \(count) it should state split.no \(number - 1) and split.count \(count); "
          + "it states \(shown(stated.0)) and \(shown(stated.1)). Download the parts of one model again")
    }
  }

  // MARK: Names

  private static func padded(_ n: Int) -> String {
    let digits = String(n)
    return String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
  }

  private static func path(_ prefix: String, _ number: Int, of count: Int) -> String {
    "\(prefix)-\(padded(number))-of-\(padded(count)).gguf"
  }

  /// What comes before the numbers in a part's path, and its number.
  private static func numbered(_ path: String, count: Int) -> (prefix: String, number: Int)? {
    let tail = Array("-of-\(padded(count)).gguf".utf8)
    let bytes = Array(path.utf8)
    guard bytes.count > tail.count + 6, bytes.suffix(tail.count).elementsEqual(tail) else { return nil }
    let digits = bytes[(bytes.count - tail.count - 5)..<(bytes.count - tail.count)]
    guard bytes[digits.startIndex - 1] == UInt8(ascii: "-"), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    guard (1...count).contains(number) else { return nil }
    return (String(decoding: bytes[..<(digits.startIndex - 1)], as: UTF8.self), number)
  }
}
