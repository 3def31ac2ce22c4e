import Digests

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
    let root = try ManifestMembers(
      json, "",
      ["architecture", "arithmetic", "blobs", "config", "rope", "schema", "source", "tensors", "tokens"])
    let schema = try root.string("schema")
    guard schema == ModelManifest.schema else { throw .unsupported("schema", found: schema) }
    let arithmetic = try root.string("arithmetic")
    guard arithmetic == ModelManifest.arithmetic else { throw .unsupported("arithmetic", found: arithmetic) }
    architecture = try root.string("architecture")

    config = try ModelConfiguration(
      root.members("config", ModelConfiguration.members, ModelConfiguration.optionalMembers))

    let rope = try root.members("rope", ["frequencies"], ["localFrequencies"])
    ropeFrequencies = try rope.frequencies("frequencies")
    localRopeFrequencies = rope.has("localFrequencies") ? try rope.frequencies("localFrequencies") : nil

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
      let e = try ManifestMembers(item, "tensors[\(i)]", ["bytes", "exponent", "kind", "name", "offset", "shape"])
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
    try ManifestMembers.requireSorted(tensors.map(\.name), "tensors")

    let b = try root.members("blobs", ["chatTemplate", "tokenizer", "weights"])
    blobs = Blobs(
      weights: try b.blob("weights"), tokenizer: try b.blob("tokenizer"),
      chatTemplate: b.object["chatTemplate"]?.isNull == true ? nil : try b.blob("chatTemplate"))

    let s = try root.members("source", ["files", "format"])
    var files: [SourceFile] = []
    for (i, item) in try s.array("files").enumerated() {
      let f = try ManifestMembers(item, "source.files[\(i)]", ["bytes", "digest", "name"])
      guard let digest = Digest<SourceFile>(try f.string("digest")) else {
        throw .wrongType("source.files[\(i)].digest", expected: "sha256:<64 hex digits>")
      }
      files.append(SourceFile(name: try f.string("name"), digest: digest, bytes: try f.size("bytes")))
    }
    try ManifestMembers.requireSorted(files.map(\.name), "source.files")
    source = ModelSource(format: try s.string("format"), files: files)
    guard ["gguf", "safetensors"].contains(source.format) else {
      throw .unsupported("source.format", found: source.format)
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
    func frequencies(_ list: [UInt64]) -> JSON { .array(list.map { .string(Hex.string($0.bigEndianBytes)) }) }
    var rope = JSONObject()
    rope["frequencies"] = frequencies(ropeFrequencies)
    rope["localFrequencies"] = localRopeFrequencies.map(frequencies)
    return [
      "schema": .string(ModelManifest.schema),
      "arithmetic": .string(ModelManifest.arithmetic),
      "architecture": .string(architecture),
      "config": config.json,
      "rope": .object(rope),
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
