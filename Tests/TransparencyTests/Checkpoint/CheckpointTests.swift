import Testing
import Transparency

@Suite struct CheckpointTests {
  static let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

  /// The example of tlog-checkpoint.
  @Test func theSpecificationsExampleIsRead() throws {
    let text = Array("example.com/behind-the-sofa\n20852163\n\(Self.root)\n".utf8)
    let checkpoint = try Checkpoint(parsing: text)
    #expect(checkpoint.origin == "example.com/behind-the-sofa" && checkpoint.size == 20_852_163)
    #expect(checkpoint.root.base64 == Self.root && checkpoint.text == text && !checkpoint.isImpossible)
    #expect(try Checkpoint(parsing: Array("o\n0\n\(Self.root)\n".utf8)).isImpossible)
    #expect(try !Checkpoint(origin: "o", size: 0, root: .emptyRoot).isImpossible)
  }

  static let refused: [(String, CheckpointRejection)] = [
    ("", .lineCount(0)), ("o\n1\n\(root)", .lineCount(2)), ("o\n1\n", .lineCount(2)), ("o\n1\n\n", .root),
    ("o\n1\n\(root)\nextension\n", .lineCount(4)), ("o\n1\n\(root)\n\n", .lineCount(4)), ("\n1\n\(root)\n", .origin),
    ("\(String(repeating: "o", count: 256))\n1\n\(root)\n", .origin), ("o\u{1}\n1\n\(root)\n", .origin),
    ("o\n01\n\(root)\n", .size("01")), ("o\n-1\n\(root)\n", .size("-1")), ("o\n+1\n\(root)\n", .size("+1")),
    ("o\n\n\(root)\n", .size("")), ("o\n 1\n\(root)\n", .size(" 1")), ("o\n1 \n\(root)\n", .size("1 ")),
    ("o\n0x1\n\(root)\n", .size("0x1")), ("o\n1e1\n\(root)\n", .size("1e1")), ("o\n١\n\(root)\n", .size("١")),
    ("o\n9223372036854775808\n\(root)\n", .size("9223372036854775808")),
    ("o\n18446744073709551617\n\(root)\n", .size("18446744073709551617")),
    ("o\n1\n\(root.dropLast())\n", .root), ("o\n1\n\(root) \n", .root), ("o\n1\n\(root.dropLast(4))\n", .root),
    ("o\n1\n\(root.replacing("2I=", with: "2J="))\n", .root), ("o\n1\n\(root.replacing("/", with: "_"))\n", .root),
  ]

  @Test(arguments: refused.indices) func formsAreStrict(_ index: Int) {
    let (text, rejection) = Self.refused[index]
    #expect(throws: rejection) { try Checkpoint(parsing: Array(text.utf8)) }
    #expect(!rejection.description.contains("\n"))
  }

  @Test func theLargestSizeIsRead() throws {
    #expect(try Checkpoint(parsing: Array("o\n9223372036854775807\n\(Self.root)\n".utf8)).size == UInt64(Int64.max))
    #expect(throws: CheckpointRejection.size("9223372036854775808")) {
      try Checkpoint(origin: "o", size: 1 << 63, root: .emptyRoot)
    }
    #expect(throws: CheckpointRejection.origin) { try Checkpoint(origin: "a\nb", size: 1, root: .emptyRoot) }
  }

  /// A checkpoint with extension lines may be well signed; we do not read it.
  @Test func extensionLinesAreRefused() throws {
    let text = Array("\(SampleLog.origin)\n1\n\(Self.root)\nextension\n".utf8)
    let note = try Note(text: text, signatures: [SampleLog.signer.sign(text)])
    #expect(throws: CheckpointRejection.lineCount(4)) { try SignedCheckpoint(parsing: note.bytes) }
  }

  @Test func onlyTheOriginsOwnKeySignsForIt() throws {
    let checkpoint = try Checkpoint(origin: "log.example/other", size: 1, root: .emptyRoot)
    let signed = try SignedCheckpoint(checkpoint, signatures: [SampleLog.signer.sign(checkpoint)])
    #expect(throws: CheckpointRejection.notSigned(origin: "log.example/other")) {
      try signed.verified(by: [SampleLog.signer.verifierKey])
    }
    // A witness that is called like the log does not sign for it either.
    let witness = try CosignatureSigner(name: "log.example/other", seed: [UInt8](repeating: 9, count: 32))
    let cosigned = try signed.adding([witness.cosign(checkpoint, timestamp: 1)])
    #expect(throws: CheckpointRejection.notSigned(origin: "log.example/other")) {
      try cosigned.verified(by: [witness.verifierKey])
    }
  }
}
