import Digests
import ModelGraph
import Testing

@Suite struct ModelManifestTests {
  let manifest: ModelManifest
  let bytes: [UInt8]

  init() {
    var random = SeededRandom.forTest("manifest")
    var (made, _) = RandomModel(config: RandomModel.configuration(layers: 1)).make(&random)
    made.blobs.chatTemplate = .init(digest: Digest(of: [1]), bytes: 1)
    made.tokens.beginOfSequence = 3
    made.source.files = [
      .init(name: "a", digest: Digest(of: [2]), bytes: 1), .init(name: "b", digest: Digest(of: [3]), bytes: 2),
    ]
    manifest = made
    bytes = made.canonicalBytes
  }

  /// A place in the document: members by key, elements by index.
  enum Step { case key(String), index(Int) }

  func name(_ path: [Step]) -> String {
    path.reduce("") {
      switch $1 {
      case .key(let key): $0.isEmpty ? key : "\($0).\(key)"
      case .index(let i): "\($0)[\(i)]"
      }
    }
  }

  /// The document with the value at `path` replaced, or removed for nil.
  func edited(_ json: JSON, _ path: ArraySlice<Step>, _ value: JSON?) -> JSON {
    switch path.first {
    case nil: return value ?? .null
    case .key(let key):
      var object = json.object!
      object[key] = path.count == 1 ? value : edited(object[key] ?? .null, path.dropFirst(), value)
      return .object(object)
    case .index(let i):
      var array = json.array!
      if path.count == 1 && value == nil {
        array.remove(at: i)
      } else {
        array[i] = edited(array[i], path.dropFirst(), value)
      }
      return .array(array)
    }
  }

  /// Every member of every object in the document.
  func members(_ json: JSON, _ path: [Step] = []) -> [[Step]] {
    if let object = json.object {
      return object.members.flatMap { [path + [.key($0.key)]] + members($0.value, path + [.key($0.key)]) }
    }
    return (json.array ?? []).enumerated().flatMap { members($1, path + [.index($0)]) }
  }

  func rejection(_ json: JSON) throws -> ManifestRejection? {
    do {
      _ = try ModelManifest(bytes: json.canonicalBytes())
      return nil
    } catch let error as ManifestRejection { return error }
  }

  @Test func readsWhatItWrites() throws {
    #expect(try ModelManifest(bytes: bytes) == manifest)
    #expect(manifest.digest == Digest(of: bytes))
    var other = manifest
    other.blobs.chatTemplate = nil
    other.tokens.beginOfSequence = nil
    #expect(try ModelManifest(bytes: other.canonicalBytes) == other)
    #expect(other.digest != manifest.digest)
  }

  @Test func everyMemberIsNeeded() throws {
    let json = try JSON.parse(bytes)
    let paths = members(json)
    #expect(paths.count > 100)
    for path in paths {
      #expect(try rejection(edited(json, path[...], nil)) == .missing(name(path)))
    }
  }

  @Test func noOtherMemberIsAllowed() throws {
    let json = try JSON.parse(bytes)
    let objects = Set(members(json).map { name(Array($0.dropLast())) })
    var seen: Set<String> = []
    for path in members(json) {
      let place = Array(path.dropLast()) + [.key("extra")]
      #expect(try rejection(edited(json, place[...], 1)) == .unknown(name(place)))
      seen.insert(name(Array(path.dropLast())))
    }
    #expect(seen == objects)
  }

  @Test func everyMemberHasItsType() throws {
    let json = try JSON.parse(bytes)
    // A value of another type each: no member takes a boolean and a negative number both.
    for path in members(json) {
      for wrong: JSON in [[:], -1, "x", true, [true], .null] {
        let found = try rejection(edited(json, path[...], wrong))
        // These are right for the type, or are judged by ``ModelImage``.
        let leaf = name(path).split(separator: ".").last.map(String.init) ?? ""
        let isInteger =
          name(path).hasPrefix("config.") || ["offset", "exponent"].contains(leaf)
          || name(path).hasPrefix("tensors[") && leaf == "bytes"
        let allowed: Bool =
          switch wrong {
          case .number: isInteger && leaf != "tiedEmbeddings" || leaf == "beginOfSequence"
          case .string: leaf == "name" || leaf == "architecture"
          case .bool: leaf == "tiedEmbeddings"
          case .null: leaf == "chatTemplate" || leaf == "beginOfSequence"
          default: false
          }
        if allowed {
          if leaf != "name" { #expect(found == nil, "\(name(path)) = \(wrong)") }
        } else if case .wrongType(let place, _) = found {
          #expect(place.hasPrefix(name(path)))
        } else if case .missing(let place) = found {
          #expect(place.hasPrefix(name(path) + ".") && wrong == [:])
        } else if case .unsupported(let place, "x") = found {
          #expect(place == name(path) && wrong == "x")
        } else {
          Issue.record("\(name(path)) = \(wrong) gives \(String(describing: found))")
        }
      }
    }
  }

  @Test func namesEachRejection() throws {
    let json = try JSON.parse(bytes)
    func expect(_ rejection: ManifestRejection, _ path: Step..., value: JSON) throws {
      #expect(try self.rejection(edited(json, path[...], value)) == rejection)
    }
    try expect(.unsupported("schema", found: "evident.model.v2"), .key("schema"), value: "evident.model.v2")
    try expect(.unsupported("arithmetic", found: "x"), .key("arithmetic"), value: "x")
    try expect(.unsupported("source.format", found: "onnx"), .key("source"), .key("format"), value: "onnx")
    try expect(
      .unsupported("tensors[0].kind", found: "linear2"), .key("tensors"), .index(0), .key("kind"), value: "linear2")
    try expect(
      .wrongType("tokens.endOfSequence[0]", expected: "a token id"), .key("tokens"), .key("endOfSequence"),
      value: [.integer(1 << 31)])
    for bad: JSON in ["0123", "0123456789ABCDEF", "0123456789abcdefff", 5] {
      try expect(
        .wrongType("rope.frequencies[0]", expected: "16 lower-case hex digits"), .key("rope"), .key("frequencies"),
        value: [bad])
    }
    for blob in ["weights", "tokenizer", "chatTemplate"] {
      for bad: JSON in [
        "", "sha256:00", .string(manifest.blobs.weights.digest.hex), .string(manifest.digest.description.uppercased()),
      ] {
        try expect(
          .wrongType("blobs.\(blob).digest", expected: "sha256:<64 hex digits>"), .key("blobs"), .key(blob),
          .key("digest"), value: bad)
      }
      try expect(
        .wrongType("blobs.\(blob).bytes", expected: "a size in bytes"), .key("blobs"), .key(blob), .key("bytes"),
        value: -1)
    }
    let files = json["source"]!["files"]!.array!
    try expect(.notSorted("source.files[1]"), .key("source"), .key("files"), value: .array(files.reversed()))
    try expect(.notSorted("source.files[1]"), .key("source"), .key("files"), value: .array([files[0], files[0]]))
    var tensors = json["tensors"]!.array!
    tensors.swapAt(2, 3)
    try expect(.notSorted("tensors[3]"), .key("tensors"), value: .array(tensors))
    try expect(.wrongType("root", expected: "an object"), value: [])
    #expect(throws: ManifestRejection.tooLong(bytes: ModelManifest.bytesMax + 1)) {
      try ModelManifest(bytes: [UInt8](repeating: 0x20, count: ModelManifest.bytesMax + 1))
    }
  }

  @Test func onlyTheCanonicalBytesAreAManifest() throws {
    #expect(throws: ManifestRejection.notCanonical) { try ModelManifest(bytes: bytes + [0x0A]) }
    #expect(throws: ManifestRejection.notCanonical) { try ModelManifest(bytes: [0x20] + bytes) }
    let text = String(decoding: bytes, as: UTF8.self)
    for (from, to) in [
      (#""layers":1"#, #""layers":1.0"#), (#""layers":1"#, #""layers":1e0"#), (#""schema""#, #""sc\u0068ema""#),
      (#""layers":1"#, #""layers": 1"#),
    ] {
      let changed = text.replacing(from, with: to, maxReplacements: 1)
      #expect(changed != text)
      #expect(throws: ManifestRejection.notCanonical) { try ModelManifest(bytes: Array(changed.utf8)) }
    }
    let unordered = text.replacing(#""heads":2,"hiddenSize":12"#, with: #""hiddenSize":12,"heads":2"#)
    #expect(unordered != text)
    #expect(throws: ManifestRejection.notCanonical) { try ModelManifest(bytes: Array(unordered.utf8)) }
  }

  @Test func cutAndChangedBytesNeverTrap() throws {
    for cut in 0..<bytes.count {
      #expect(throws: ManifestRejection.self) { try ModelManifest(bytes: Array(bytes[..<cut])) }
    }
    var random = SeededRandom.forTest()
    for _ in 0..<3000 {
      var changed = bytes
      let at = Int.random(in: 0..<bytes.count, using: &random)
      changed[at] = UInt8.random(in: 0...255, using: &random)
      // Accepted or refused, but what is accepted is what was written.
      if let read = try? ModelManifest(bytes: changed) { #expect(read.canonicalBytes == changed) }
    }
  }
}
