import Digests
import ModelFiles
import Testing

@Suite struct GGUFFileTests {
  private func file(_ builder: GGUFBuilder) throws -> GGUFFile { try file(builder.bytes()) }

  private func file(_ bytes: [UInt8]) throws -> GGUFFile {
    let folder = TemporaryFolder()
    return try GGUFFile(path: folder.write(bytes, "f.gguf"))
  }

  private var empty: GGUFBuilder {
    var builder = GGUFBuilder()
    builder.values = []
    builder.tensors = []
    return builder
  }

  private func rejection(_ bytes: [UInt8]) throws -> GGUFRejection? {
    do {
      _ = try file(bytes).tensors()
      return nil
    } catch let error as GGUFRejection {
      return error
    }
  }

  private func rejection(_ builder: GGUFBuilder) throws -> GGUFRejection? { try rejection(builder.bytes()) }

  @Test func everyValueType() throws {
    var b = empty
    b.values = [
      ("u8", .u8(200)), ("i8", .i8(100)), ("u16", .u16(60000)), ("i16", .i16(30000)), ("u32", .u32(4_000_000_000)),
      ("i32", .i32(2_000_000_000)), ("u64", .u64(1 << 62)), ("i64", .i64(1 << 61)), ("minus", .i32(-1)),
      ("huge", .u64(1 << 63)), ("f32", .f32(1e-5)), ("f64", .f64(0.1)), ("inf", .f32(.infinity)), ("nan", .f64(.nan)),
      ("yes", .bool(1)), ("no", .bool(0)), ("text", .string("tällä")), ("bytes", .bytes([0xFF])),
      ("strings", .strings(["a", "", "bc"])), ("integers", .integers([3, 4])), ("empty", .array(4, 0, [])),
      ("floats", .array(6, 2, Float(1).bitPattern.littleEndianBytes + Float(-2).bitPattern.littleEndianBytes)),
      ("bools", .array(7, 3, [1, 0, 1])), ("u8s", .array(0, 2, [7, 8])),
      ("nested", .array(9, 2, GGUFBuilder.Value.integers([1]).payload + GGUFBuilder.Value.strings(["x"]).payload)),
    ]
    let m = try file(b).metadata
    #expect(m.keys.count == 25 && m.has("nested") && m.isArray("nested") && !m.isArray("u8") && !m.has("none"))
    for (key, n) in [
      ("u8", 200), ("i8", 100), ("u16", 60000), ("i16", 30000), ("u32", 4_000_000_000), ("i32", 2_000_000_000),
      ("u64", 1 << 62), ("i64", 1 << 61),
    ] {
      #expect(try m.integer(key) == n && m.number(key)?.integer == n)
    }
    for key in ["minus", "huge", "f32", "text", "strings"] {
      #expect(throws: GGUFRejection.wrongType(file: "f.gguf", key: key, expected: "a natural number")) {
        try m.integer(key)
      }
    }
    #expect(try m.number("f32")?.text == "1e-05" && m.number("f64")?.text == "0.1")
    for key in ["inf", "nan", "yes", "minus"] { #expect(throws: GGUFRejection.self) { try m.number(key) } }
    #expect(try m.bool("yes") == true && m.bool("no") == false && m.bool("none") == nil)
    #expect(try m.text("text") == "tällä" && m.bytes("bytes") == [0xFF])
    #expect(throws: GGUFRejection.wrongType(file: "f.gguf", key: "bytes", expected: "valid UTF-8")) {
      try m.text("bytes")
    }
    #expect(throws: GGUFRejection.self) { try m.bool("u8") }
    #expect(throws: GGUFRejection.self) { try m.bytes("u8") }
    #expect(try m.strings("strings", countMax: 3) == [[0x61], [], [0x62, 0x63]])
    #expect(try m.integers("integers", countMax: 2) == [3, 4] && m.integers("u8s", countMax: 2) == [7, 8])
    #expect(try m.integers("empty", countMax: 0) == [] && m.integers("none", countMax: 0) == nil)
    #expect(try m.floatBits("floats", countMax: 2) == [0x3F80_0000, 0xC000_0000])
    #expect(try m.bools("bools", countMax: 3) == [true, false, true])
    #expect(throws: GGUFRejection.self) { try m.strings("strings", countMax: 2) }
    #expect(throws: GGUFRejection.self) { try m.strings("integers", countMax: 9) }
    #expect(throws: GGUFRejection.self) { try m.integers("strings", countMax: 9) }
    #expect(throws: GGUFRejection.self) { try m.integers("floats", countMax: 9) }
    #expect(throws: GGUFRejection.self) { try m.floatBits("integers", countMax: 9) }
    #expect(throws: GGUFRejection.self) { try m.bools("integers", countMax: 9) }
    #expect(throws: GGUFRejection.self) { try m.integers("u8", countMax: 9) }
  }

  @Test func everyVersion() throws {
    for version in [2, 3] as [UInt32] {
      var b = GGUFBuilder()
      b.version = version
      let f = try file(b)
      #expect(f.header.version == version)
      #expect(try f.tensors().count == b.tensors.count)
    }
    for version in [0, 1, 4, 1 << 31 | 1] as [UInt32] {
      var b = empty
      b.version = version
      #expect(try rejection(b) == .unsupportedVersion(file: "f.gguf", version))
    }
    for version in [2, 3] as [UInt32] {
      var b = empty
      b.version = version.byteSwapped
      #expect(try rejection(b) == .bigEndian(file: "f.gguf"))
    }
  }

  @Test func headersAreStrict() throws {
    var b = empty
    b.magic = Array("GGML".utf8)
    #expect(try rejection(b) == .notGGUF(file: "f.gguf"))
    #expect(try rejection([]) == .notGGUF(file: "f.gguf"))
    let whole = empty.bytes()
    for count in 4..<24 {
      guard case .ends? = try rejection(Array(whole[..<count])) else {
        Issue.record("\(count) bytes")
        continue
      }
    }
    for count in [.max, 1 << 63, 1 << 32, (1 << 17) + 1] as [UInt64] {
      b = empty
      b.tensorCount = count
      #expect(try rejection(b) == .tooMany(file: "f.gguf", what: "tensors", count: count, countMax: 1 << 17))
      b = empty
      b.keyCount = count
      #expect(try rejection(b) == .tooMany(file: "f.gguf", what: "metadata keys", count: count, countMax: 1 << 16))
    }
    b = empty
    b.keyCount = 100
    #expect(try rejection(b) == .ends(file: "f.gguf", offset: 32, wanted: 1300))
    b = empty
    b.values = [("a", .u8(1)), ("a", .u8(1))]
    #expect(try rejection(b) == .duplicateKey(file: "f.gguf", key: "a"))
    b.values = [(String(repeating: "k", count: 1025), .u8(1))]
    #expect("\(try #require(try rejection(b)))".contains("a metadata key at byte 24 claims 1025 bytes, more than 1024"))
    b.values = [("a", .bool(2))]
    #expect(try rejection(b) == .badBool(file: "f.gguf", key: "a", 2))
    b.values = [("a", .raw(13, []))]
    #expect(try rejection(b) == .unknownValueType(file: "f.gguf", key: "a", 13))
    b.values = [("a", .array(99, 0, []))]
    #expect(try rejection(b) == .unknownValueType(file: "f.gguf", key: "a", 99))
    var bytes = empty.bytes()
    bytes[16] = 1
    // A key of two bytes that are not UTF-8.
    bytes.replaceSubrange(24..., with: UInt64(2).littleEndianBytes + [0xC3, 0x28] + [UInt8](repeating: 0, count: 32))
    #expect("\(try #require(try rejection(bytes)))".contains("is not UTF-8"))
  }

  @Test func stringsAndArraysAreBounded() throws {
    var b = empty
    for count in [.max, 1 << 63, (64 << 20) + 1] as [UInt64] {
      b.values = [("a", .raw(8, count.littleEndianBytes))]
      #expect("\(try #require(try rejection(b)))".contains("claims \(count) bytes"))
    }
    b.values = [("a", .raw(8, UInt64(1000).littleEndianBytes))]
    #expect("\(try #require(try rejection(b)))".contains("where 1000 more were announced"))
    for count in [.max, 1 << 62, (1 << 24) + 1] as [UInt64] {
      for type in [0, 8, 9, 12] as [UInt32] {
        b.values = [("a", .array(type, count, []))]
        #expect(
          try rejection(b) == .tooMany(file: "f.gguf", what: "elements of \"a\"", count: count, countMax: 1 << 24))
      }
    }
    // What is stated must fit the file before anything is allocated.
    for type in [0, 7, 8, 9, 12] as [UInt32] {
      b.values = [("a", .array(type, 1 << 24, []))]
      guard case .ends? = try rejection(b) else {
        Issue.record("type \(type)")
        continue
      }
    }
    var nested = GGUFBuilder.Value.integers([1])
    for _ in 0..<3 { nested = .array(9, 1, nested.payload) }
    b.values = [("a", nested)]
    #expect(try rejection(b) == nil)
    b.values = [("a", .array(9, 1, nested.payload))]
    #expect(try rejection(b) == .nestedTooDeeply(file: "f.gguf", key: "a", depthMax: 4))
  }

  @Test func alignments() throws {
    for alignment in [1, 8, 64, 4096] {
      var b = GGUFBuilder()
      b.alignment = alignment
      b.set("general.alignment", .u32(UInt32(alignment)))
      #expect(try file(b).tensors().count == b.tensors.count)
    }
    for alignment in [0, 3, 48, 1 << 21] as [UInt32] {
      var b = GGUFBuilder()
      b.set("general.alignment", .u32(alignment))
      #expect(try rejection(b) == .badAlignment(file: "f.gguf", found: "\(alignment)"))
    }
    var b = GGUFBuilder()
    b.set("general.alignment", .string("32"))
    #expect(try rejection(b) == .wrongType(file: "f.gguf", key: "general.alignment", expected: "a natural number"))
  }

  @Test func tensorsMustLieApartWithinTheFile() throws {
    func refused(_ change: (inout GGUFBuilder.Tensor) -> Void) throws -> GGUFRejection? {
      var b = GGUFBuilder()
      b.tensor("output_norm.weight", change)
      return try rejection(b)
    }
    #expect(
      try refused { $0.offset = 16 }
        == .misaligned(file: "f.gguf", tensor: "output_norm.weight", offset: 16, alignment: 32))
    if case .overlap(file: "f.gguf", let a, let b)? = try refused({ $0.offset = 32 }) {
      #expect(Set([a, b]) == ["output_norm.weight", "token_embd.weight"])
    } else {
      Issue.record("overlap")
    }
    for offset in [1 << 20, 1 << 62, .max & ~31] as [UInt64] {
      guard case .beyondFile(file: "f.gguf", tensor: "output_norm.weight", _, _)? = try refused({ $0.offset = offset })
      else {
        Issue.record("\(offset)")
        continue
      }
    }
    for extents in [[0], [1 << 63], [16, 0], [1 << 40, 1 << 40], [1 << 32, 1 << 31, 2]] as [[UInt64]] {
      guard case .tensor(file: "f.gguf", tensor: "output_norm.weight", _)? = try refused({ $0.extents = extents })
      else {
        Issue.record("\(extents)")
        continue
      }
    }
    #expect("\(try #require(try refused { $0.extents = [1, 1, 1, 1, 1] }))".contains("has 5 dimensions"))
    #expect(try refused { $0.extents = [16, 1, 1, 1] } == nil)
    #expect(
      try refused { $0.name = "token_embd.weight" } == .duplicateTensor("token_embd.weight", files: ["f.gguf"]))
    #expect(
      "\(try #require(try refused { $0.name = String(repeating: "n", count: 256) }))".contains("claims 256 bytes"))
  }

  @Test func everyTypeIsNamed() throws {
    let names = [
      "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
      "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16",
      "I32", "I64", "F64", "IQ1_M", "BF16", "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0", "IQ4_NL_4_4",
      "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4", "NVFP4", "Q1_0", "Q2_0",
    ]
    let supported: Set = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 30]
    for (number, name) in names.enumerated() {
      var b = empty
      b.tensors = [.init(name: "t", extents: [256, 2], type: UInt32(number), data: [UInt8](repeating: 0, count: 2048))]
      if supported.contains(number) {
        #expect(try file(b).tensors()[0].format == name)
      } else {
        #expect(try rejection(b) == .unsupportedTensorType(file: "f.gguf", tensor: "t", type: name))
      }
    }
    var b = empty
    b.tensors = [.init(name: "t", extents: [256], type: 99, data: [])]
    let message = "\(try #require(try rejection(b)))"
    #expect(message.contains("is of type 99, which ggml does not have") && message.contains("Q4_K, Q5_K, Q6_K"))
    b.tensors = [.init(name: "t", extents: [48, 2], type: 2, data: [UInt8](repeating: 0, count: 54))]
    #expect(
      try rejection(b)
        == .partialBlock(file: "f.gguf", tensor: "t", columns: 48, type: "Q4_0", blockElements: 32))
    // Without tensors nothing of them is looked at: a vocabulary can be read from any file.
    b.tensors[0].type = 17
    #expect(try file(b).header.tensors.count == 1)
  }

  @Test func everyMessageIsOneLine() {
    let f = "f.gguf"
    let all: [GGUFRejection] = [
      .notGGUF(file: f), .bigEndian(file: f), .unsupportedVersion(file: f, 1), .ends(file: f, offset: 1, wanted: 2),
      .tooMany(file: f, what: "x", count: 1, countMax: 0), .string(file: f, what: "x", offset: 0, problem: "y"),
      .unknownValueType(file: f, key: "a\nb", 13), .nestedTooDeeply(file: f, key: "a", depthMax: 4),
      .badBool(file: f, key: "a", 2), .duplicateKey(file: f, key: "a"), .missing(file: f, key: "a"),
      .wrongType(file: f, key: "a", expected: "x"), .unsupportedValue(file: f, key: "a", found: "1", supported: "2"),
      .unknownKey(file: f, key: "a"), .unsupportedArchitecture(file: f, found: "a", supported: ["b"]),
      .badAlignment(file: f, found: "3"), .tensor(file: f, tensor: "t", problem: "x"),
      .unsupportedTensorType(file: f, tensor: "t", type: "IQ1_S"),
      .partialBlock(file: f, tensor: "t", columns: 1, type: "Q4_0", blockElements: 32),
      .misaligned(file: f, tensor: "t", offset: 1, alignment: 32), .beyondFile(file: f, tensor: "t", end: 1, bytes: 0),
      .overlap(file: f, tensor: "t", after: "u"), .duplicateTensor("t", files: [f]),
      .unknownTensor(file: f, tensor: "t", architecture: "llama"), .split(file: f, problem: "x"),
    ]
    for rejection in all {
      let message = "\(rejection)"
      #expect(message.contains(f) && !message.contains("\n"), "\(message)")
    }
  }
}
