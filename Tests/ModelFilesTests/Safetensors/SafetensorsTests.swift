import Digests
import ModelFiles
import ModelGraph
import Testing

@Suite struct SafetensorsTests {
  /// A file with that header and that many bytes of data.
  private func header(_ text: String, data: Int = 0, length: UInt64? = nil) throws -> SafetensorsHeader {
    let bytes =
      (length ?? UInt64(text.utf8.count)).littleEndianBytes + Array(text.utf8) + [UInt8](repeating: 0, count: data)
    return try bytes.withUnsafeBytes { try SafetensorsHeader($0, file: "f") }
  }

  private func tensor(_ shape: String, _ from: Int, _ to: Int, dtype: String = "F32") -> String {
    #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(from),\#(to)]}"#
  }

  @Test func readsShapesAndOffsets() throws {
    let h = try header(
      #"{"__metadata__":{"format":"pt"},"b":\#(tensor("[2]", 12, 16, dtype: "F16")),"a":\#(tensor("[3,1]", 0, 12))} "#,
      data: 16)
    #expect(h.entries.map(\.name) == ["a", "b"])
    #expect(h.entries[0].shape == [3, 1] && h.entries[0].elements == 3)
    #expect(h.entries[1].format == .f16 && h.entries[1].range.count == 4)
    #expect(try header("{}").entries.isEmpty)
    // A scalar has one element; a zero extent has none.
    #expect(try header(#"{"s":\#(tensor("[]", 0, 4)),"z":\#(tensor("[0,7]", 4, 4))}"#, data: 4).entries.count == 2)
  }

  @Test func absurdLengthsAreRefusedBeforeParsing() {
    #expect(throws: SafetensorsRejection.headerTooLong(file: "f", stated: 1 << 63, bytesMax: 100_000_000)) {
      try header("{}", length: 1 << 63)
    }
    #expect(throws: SafetensorsRejection.headerTooLong(file: "f", stated: .max, bytesMax: 100_000_000)) {
      try header("{}", length: .max)
    }
    #expect(throws: SafetensorsRejection.headerTooLong(file: "f", stated: 100_000_001, bytesMax: 100_000_000)) {
      try header("{}", length: 100_000_001)
    }
    #expect(throws: SafetensorsRejection.headerBeyondFile(file: "f", stated: 3, bytes: 10)) {
      try header("{}", length: 3)
    }
    for count in 0..<8 {
      #expect(throws: SafetensorsRejection.tooShort(file: "f", bytes: count)) {
        try [UInt8](repeating: 0, count: count).withUnsafeBytes { try SafetensorsHeader($0, file: "f") }
      }
    }
    #expect(throws: SafetensorsRejection.self) { try header("", length: 0) }
    #expect(throws: SafetensorsRejection.tooManyEntries(file: "f", entriesMax: 1 << 20)) {
      try header(#"{"a":["# + String(repeating: "0,", count: 1 << 20) + "0,0]}")
    }
  }

  @Test(arguments: [
    "[4611686018427387904,4]", "[4294967296,4294967296]", "[9223372036854775807,9223372036854775807]",
    "[9223372036854775807,2,0]", "[2]", "[1,1,1,1,1,1,1,2]",
  ])
  func shapeMustMatchTheBytes(_ shape: String) {
    #expect {
      try header(#"{"a":\#(tensor(shape, 0, 4))}"#, data: 4)
    } throws: { error in
      if case .extent(file: "f", tensor: "a", stated: 4, _, type: .f32)? = error as? SafetensorsRejection {
        true
      } else {
        false
      }
    }
  }

  @Test(arguments: [
    ("[-1]", "shape"), ("[1.5]", "shape"), ("[18446744073709551616]", "shape"), ("7", "shape"), ("[\"x\"]", "shape"),
    ("[1,1,1,1,1,1,1,1,1]", "shape"),
  ])
  func badShapesAreNamed(_ shape: String, _ what: String) {
    #expect { try header(#"{"a":\#(tensor(shape, 0, 4))}"#, data: 4) } throws: {
      "\($0)".contains(what) && "\($0)".contains("\"a\"")
    }
  }

  @Test func tensorsMustCoverTheData() {
    #expect(throws: SafetensorsRejection.overlap(file: "f", tensor: "b", after: "a")) {
      try header(#"{"a":\#(tensor("[2]", 0, 8)),"b":\#(tensor("[2]", 4, 12))}"#, data: 12)
    }
    #expect(throws: SafetensorsRejection.gap(file: "f", before: "b", bytes: 4)) {
      try header(#"{"a":\#(tensor("[1]", 0, 4)),"b":\#(tensor("[1]", 8, 12))}"#, data: 12)
    }
    #expect(throws: SafetensorsRejection.gap(file: "f", before: nil, bytes: 1)) {
      try header(#"{"a":\#(tensor("[1]", 0, 4))}"#, data: 5)
    }
    #expect(throws: SafetensorsRejection.gap(file: "f", before: nil, bytes: 9)) { try header("{}", data: 9) }
    #expect(throws: SafetensorsRejection.beyondFile(file: "f", tensor: "a", end: 8, bytes: 7)) {
      try header(#"{"a":\#(tensor("[2]", 0, 8))}"#, data: 7)
    }
  }

  @Test func headersAreStrict() {
    #expect(throws: SafetensorsRejection.unsupportedFormat(file: "f", tensor: "a", found: "F12")) {
      try header(#"{"a":\#(tensor("[1]", 0, 8, dtype: "F12"))}"#, data: 8)
    }
    // Numbers that only an import refuses, unless it ignores the tensor.
    #expect(throws: Never.self) { try header(#"{"a":\#(tensor("[1]", 0, 8, dtype: "I64"))}"#, data: 8) }
    for text in [
      "[]", "7", "{", "{}x", #"{"a":1}"#, #"{"a":{}}"#, #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":[]}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
      #"{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}"#,
      #"{"a":\#(tensor("[1]", 0, 4)),"a":\#(tensor("[1]", 0, 4))}"#,
      #"{"a":"# + String(repeating: "[", count: 100_000),
    ] {
      #expect(throws: SafetensorsRejection.self, "\(text.prefix(80))") { try header(text, data: 4) }
    }
  }

  @Test func unreadableFilesAreFailures() throws {
    let folder = TemporaryFolder()
    #expect(throws: FileFailure.self) { try SafetensorsFile(directory: folder.path, name: "none") }
    #expect(throws: FileFailure.self) { try MappedFile(path: folder.path) }
    #expect(throws: FileFailure.self) { try MappedFile(path: "/dev/null") }
    let empty = try MappedFile(path: folder.write([], "empty"))
    #expect(empty.count == 0 && empty.bytes.array.isEmpty)
  }
}
