public import Digests

/// Why bytes are not a manifest that we accept.
public enum ManifestRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(bytes: Int)
  case json(JSONError)
  case notCanonical
  case missing(String)
  case unknown(String)
  case wrongType(String, expected: String)
  case unsupported(String, found: String)
  /// Entries must be in ascending order of their names' bytes, each name once.
  case notSorted(String)

  public var description: String {
    switch self {
    case .tooLong(let n): "the model manifest has \(n) bytes; the limit is \(ModelManifest.bytesMax)"
    case .json(let e): "the model manifest is not valid JSON: \(e)"
    case .notCanonical: "the model manifest is not canonical JSON (RFC 8785)"
    case .missing(let path): "the model manifest lacks \(path)"
    case .unknown(let path): "the model manifest has a member that this version does not know: \(path)"
    case .wrongType(let path, let expected): "the model manifest's \(path) is not \(expected)"
    case .unsupported(let path, let found):
      "the model manifest's \(path) is \(found), which this version does not support"
    case .notSorted(let path): "the model manifest's \(path) comes out of order; entries are sorted by name, each once"
    }
  }
}

extension ModelManifest {
  /// Parses canonical manifest bytes. Everything is checked for type and presence; sizes and bounds
  /// are checked by ``ModelImage``.
  ///
  /// - Throws: ``ManifestRejection``.
  public init(bytes: [UInt8]) throws(ManifestRejection) {
    guard bytes.count <= ModelManifest.bytesMax else { throw .tooLong(bytes: bytes.count) }
    let json: JSON
    do { json = try JSON.parse(bytes, bytesMax: ModelManifest.bytesMax, depthMax: 8) } catch { throw .json(error) }
    guard JSON.isCanonical(bytes, json) else { throw .notCanonical }
    try self.init(json: json)
  }

  init(json: JSON) throws(ManifestRejection) {
    let root = try Members(
      json, "",
      ["architecture", "arithmetic", "blobs", "config", "rope", "schema", "source", "tensors", "tokens"])
    let schema = try root.string("schema")
    guard schema == ModelManifest.schema else { throw .unsupported("schema", found: schema) }
    let arithmetic = try root.string("arithmetic")
    guard arithmetic == ModelManifest.arithmetic else { throw .unsupported("arithmetic", found: arithmetic) }
    architecture = try root.string("architecture")

    let c = try root.members(
      "config",
      [
        "contextLength", "headDimension", "heads", "hiddenSize", "intermediateSize", "keyValueHeads", "layers",
        "normEpsilon", "residualFractionBits", "tiedEmbeddings", "vocabularySize",
      ])
    config = ModelConfiguration(
      hiddenSize: try c.integer("hiddenSize"), layers: try c.integer("layers"), heads: try c.integer("heads"),
      keyValueHeads: try c.integer("keyValueHeads"), headDimension: try c.integer("headDimension"),
      intermediateSize: try c.integer("intermediateSize"), vocabularySize: try c.integer("vocabularySize"),
      contextLength: try c.integer("contextLength"), residualFractionBits: try c.integer("residualFractionBits"),
      normEpsilon: try c.integer("normEpsilon"), tiedEmbeddings: try c.bool("tiedEmbeddings"))

    let rope = try root.members("rope", ["frequencies"])
    ropeFrequencies = []
    for (i, item) in try rope.array("frequencies").enumerated() {
      guard let text = item.string, let b = Hex.bytes(text), b.count == 8 else {
        throw .wrongType("rope.frequencies[\(i)]", expected: "16 lower-case hex digits")
      }
      ropeFrequencies.append(b.reduce(0) { $0 << 8 | UInt64($1) })
    }

    let t = try root.members("tokens", ["beginOfSequence", "endOfSequence"])
    var ends: [Int32] = []
    for (i, item) in try t.array("endOfSequence").enumerated() {
      guard let id = item.integer, let id32 = Int32(exactly: id) else {
        throw .wrongType("tokens.endOfSequence[\(i)]", expected: "a token id")
      }
      ends.append(id32)
    }
    var begin: Int32?
    if let value = t.object["beginOfSequence"], !value.isNull {
      guard let id = value.integer, let id32 = Int32(exactly: id) else {
        throw .wrongType("tokens.beginOfSequence", expected: "a token id or null")
      }
      begin = id32
    }
    tokens = SpecialTokens(endOfSequence: ends, beginOfSequence: begin)

    tensors = []
    for (i, item) in try root.array("tensors").enumerated() {
      let e = try Members(item, "tensors[\(i)]", ["bytes", "exponent", "kind", "name", "offset", "shape"])
      let kindName = try e.string("kind")
      guard let kind = TensorEntry.Kind(rawValue: kindName) else {
        throw .unsupported("tensors[\(i)].kind", found: kindName)
      }
      var shape: [Int] = []
      for extent in try e.array("shape") {
        guard let n = extent.integer else { throw .wrongType("tensors[\(i)].shape", expected: "integers") }
        shape.append(n)
      }
      tensors.append(
        TensorEntry(
          name: try e.string("name"), kind: kind, shape: shape, exponent: try e.integer("exponent"),
          offset: try e.integer("offset"), bytes: try e.integer("bytes")))
    }
    try ModelManifest.requireSorted(tensors.map(\.name), "tensors")

    let b = try root.members("blobs", ["chatTemplate", "tokenizer", "weights"])
    blobs = Blobs(
      weights: try b.blob("weights"), tokenizer: try b.blob("tokenizer"),
      chatTemplate: b.object["chatTemplate"]?.isNull == true ? nil : try b.blob("chatTemplate"))

    let s = try root.members("source", ["files", "format"])
    var files: [SourceFile] = []
    for (i, item) in try s.array("files").enumerated() {
      let f = try Members(item, "source.files[\(i)]", ["bytes", "digest", "name"])
      guard let digest = Digest<SourceFile>(try f.string("digest")) else {
        throw .wrongType("source.files[\(i)].digest", expected: "sha256:<64 hex digits>")
      }
      files.append(SourceFile(name: try f.string("name"), digest: digest, bytes: try f.size("bytes")))
    }
    try ModelManifest.requireSorted(files.map(\.name), "source.files")
    source = ModelSource(format: try s.string("format"), files: files)
    guard source.format == "safetensors" else { throw .unsupported("source.format", found: source.format) }
  }

  private static func requireSorted(_ names: [String], _ path: String) throws(ManifestRejection) {
    for i in names.indices.dropFirst() where !names[i - 1].utf8.lexicographicallyPrecedes(names[i].utf8) {
      throw .notSorted("\(path)[\(i)]")
    }
  }

  /// The canonical bytes whose SHA-256 is the model's identity.
  public var canonicalBytes: [UInt8] {
    guard let bytes = try? json.canonicalBytes() else {
      // Every integer here came from a manifest or an importer that keeps them below 2^53.
      preconditionFailure("a manifest holds an integer above 2^53")
    }
    return bytes
  }

  var json: JSON {
    func blob(_ b: Blob) -> JSON { ["digest": .string(b.digest.description), "bytes": .integer(b.bytes)] }
    let c = config
    return [
      "schema": .string(ModelManifest.schema),
      "arithmetic": .string(ModelManifest.arithmetic),
      "architecture": .string(architecture),
      "config": [
        "hiddenSize": .integer(c.hiddenSize), "layers": .integer(c.layers), "heads": .integer(c.heads),
        "keyValueHeads": .integer(c.keyValueHeads), "headDimension": .integer(c.headDimension),
        "intermediateSize": .integer(c.intermediateSize), "vocabularySize": .integer(c.vocabularySize),
        "contextLength": .integer(c.contextLength), "residualFractionBits": .integer(c.residualFractionBits),
        "normEpsilon": .integer(c.normEpsilon), "tiedEmbeddings": .bool(c.tiedEmbeddings),
      ],
      "rope": ["frequencies": .array(ropeFrequencies.map { .string(Hex.string($0.bigEndianBytes)) })],
      "tokens": [
        "endOfSequence": .array(tokens.endOfSequence.map { .integer(Int($0)) }),
        "beginOfSequence": tokens.beginOfSequence.map { .integer(Int($0)) } ?? .null,
      ],
      "tensors": .array(
        tensors.map { t in
          [
            "name": .string(t.name), "kind": .string(t.kind.rawValue), "shape": .array(t.shape.map { .integer($0) }),
            "exponent": .integer(t.exponent), "offset": .integer(t.offset), "bytes": .integer(t.bytes),
          ]
        }),
      "blobs": [
        "weights": blob(blobs.weights), "tokenizer": blob(blobs.tokenizer),
        "chatTemplate": blobs.chatTemplate.map(blob) ?? .null,
      ],
      "source": [
        "format": .string(source.format),
        "files": .array(
          source.files.map { f in
            ["name": .string(f.name), "digest": .string(f.digest.description), "bytes": .integer(f.bytes)]
          }),
      ],
    ]
  }
}

/// An object whose members are exactly the expected ones.
private struct Members {
  let object: JSONObject
  let path: String

  init(_ json: JSON, _ path: String, _ expected: Set<String>) throws(ManifestRejection) {
    guard let object = json.object else { throw .wrongType(path.isEmpty ? "root" : path, expected: "an object") }
    for key in object.keys where !expected.contains(key) { throw .unknown(Members.join(path, key)) }
    for key in expected.sorted() where object[key] == nil { throw .missing(Members.join(path, key)) }
    self.object = object
    self.path = path
  }

  static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func get(_ key: String) throws(ManifestRejection) -> JSON {
    guard let value = object[key] else { throw .missing(Members.join(path, key)) }
    return value
  }
  func string(_ key: String) throws(ManifestRejection) -> String {
    guard let s = try get(key).string else { throw .wrongType(Members.join(path, key), expected: "a string") }
    return s
  }
  func integer(_ key: String) throws(ManifestRejection) -> Int {
    guard let n = try get(key).integer else { throw .wrongType(Members.join(path, key), expected: "an integer") }
    return n
  }
  func size(_ key: String) throws(ManifestRejection) -> Int {
    let n = try integer(key)
    guard n >= 0 else { throw .wrongType(Members.join(path, key), expected: "a size in bytes") }
    return n
  }
  func bool(_ key: String) throws(ManifestRejection) -> Bool {
    guard let b = try get(key).bool else { throw .wrongType(Members.join(path, key), expected: "true or false") }
    return b
  }
  func array(_ key: String) throws(ManifestRejection) -> [JSON] {
    guard let a = try get(key).array else { throw .wrongType(Members.join(path, key), expected: "an array") }
    return a
  }
  func members(_ key: String, _ expected: Set<String>) throws(ManifestRejection) -> Members {
    try Members(try get(key), Members.join(path, key), expected)
  }
  func blob(_ key: String) throws(ManifestRejection) -> ModelManifest.Blob {
    let m = try members(key, ["bytes", "digest"])
    guard let digest = Digest<ModelManifest.Blob>(try m.string("digest")) else {
      throw .wrongType(Members.join(m.path, "digest"), expected: "sha256:<64 hex digits>")
    }
    return ModelManifest.Blob(digest: digest, bytes: try m.size("bytes"))
  }
}
