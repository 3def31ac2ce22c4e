import Digests
import Foundation
import ModelSigning
import Testing

/// Folders that are not what was signed, and folders that cannot be signed at all.
@Suite struct FolderTests {
  let signature: [UInt8]
  let signer: TrustedSigner

  init() throws {
    signature = try Fixture.bytes("p256.sig")
    signer = try Fixture.signer("p256")
  }

  @Test func chosenFilesAreHeldAgainstWhatWasSigned() throws {
    let check = try SignatureCheck(signature, trusted: [signer])
    let files = check.statement.files
    let (one, other) = (try #require(files.first), try #require(files.last))
    func outcome(_ chosen: [(String, String?)], lacks: (String) -> Bool = { _ in false }) -> String {
      do throws(SignatureRejection) {
        return "\(try check.check(chosen: chosen.map { (name: $0.0, sha256: $0.1) }, lacks: lacks).files == files)"
      } catch {
        return error.description
      }
    }
    let differ = "the files are not those that were signed: "
    #expect(outcome([]) == "true")
    #expect(outcome([(one.name, one.digest.hex), (other.name, nil)]) == "true")
    #expect(outcome([(one.name, other.digest.hex)]) == differ + "changed: \"\(one.name)\"")
    #expect(outcome([("x", nil), (one.name, one.digest.hex)]) == differ + "not signed: \"x\"")
    #expect(outcome([("x", one.digest.hex)]) == differ + "not signed: \"x\"")
    #expect(outcome([(one.name, nil)], lacks: { $0 == other.name }) == differ + "missing: \"\(other.name)\"")
    #expect(outcome([(other.name, nil)], lacks: { $0 == other.name }) == "true")
  }

  private func outcome(_ change: (Folder) throws -> Void) throws -> String {
    let folder = try Fixture.copy()
    try change(folder)
    return Fixture.outcome(signature, trusted: [signer], folder: folder.path)
  }

  @Test func whatDiffersIsNamed() throws {
    let differ = "the files are not those that were signed: "
    #expect(try outcome { _ in } == "trusted p256")
    #expect(try outcome { $0.write("below A\n", "a/y.txt") } == differ + "changed: \"a/y.txt\"")
    #expect(try outcome { $0.write("x", "empty") } == differ + "changed: \"empty\"")
    #expect(try outcome { $0.remove("empty") } == differ + "missing: \"empty\"")
    #expect(try outcome { $0.remove("names") }.hasPrefix(differ + "missing: \"names/\u{E9}.txt\", "))
    #expect(try outcome { $0.write("x", "new/file") } == differ + "not signed: \"new/file\"")
    #expect(try outcome { $0.write("", ".hidden2") } == differ + "not signed: \".hidden2\"")
    #expect(
      try outcome {
        $0.write("x", "a.txt")
        $0.remove(".hidden")
        $0.write("x", "b\nc")
      } == differ + "changed: \"a.txt\"; missing: \".hidden\"; not signed: \"b\\u{a}c\"")
    // Names are bytes: the same letter spelt otherwise is another name.
    #expect(
      try outcome {
        $0.remove("names/\u{E9}.txt")
        $0.write("two bytes\n", "names/e\u{301}.txt")
      } == differ + "missing: \"names/\u{E9}.txt\"; not signed: \"names/e\u{301}.txt\"")
    // What the statement says to ignore, and empty folders, do not matter.
    #expect(try outcome { $0.write("x", ".git/config") } == "trusted p256")
    #expect(
      try outcome { try FileManager.default.createDirectory(atPath: $0.path + "/b", withIntermediateDirectories: true) }
        == "trusted p256")
    #expect(try outcome { $0.write("x", ".gitx") } == differ + "not signed: \".gitx\"")
  }

  @Test func linksStandForFilesOnlyWhereThatWasAgreed() throws {
    let folder = try Fixture.copy()
    folder.remove("a.txt")
    folder.link("a.txt", to: Fixture.model + "/a.txt")
    #expect(throws: FolderRejection.symlink("a.txt")) {
      try ModelSigner.sign(folder: folder.path, name: "m", key: Fixture.privateKey())
    }
    #expect(
      Fixture.outcome(signature, trusted: [signer], folder: folder.path)
        == "\"a.txt\" is a symbolic link; replace it by the file, or give --allow-symlinks")
    let agreed = try Fixture.bytes("symlinks.sig")
    #expect(Fixture.outcome(agreed, trusted: [signer], folder: folder.path) == "trusted p256")
    _ = try SignatureCheck(signature, trusted: [signer])
      .check(folder: folder.path, signatureName: nil, allowsSymlinks: true)

    folder.remove("a.txt")
    folder.link("a.txt", to: Fixture.model + "/empty")
    #expect(
      Fixture.outcome(agreed, trusted: [signer], folder: folder.path)
        == "the files are not those that were signed: changed: \"a.txt\"")
    folder.link("more", to: Fixture.model + "/a")
    #expect(throws: FolderRejection.symlinkToFolder("more")) {
      try ModelSigner.sign(folder: folder.path, name: "m", key: Fixture.privateKey(), allowsSymlinks: true)
    }
    folder.remove("more")
    folder.link("more", to: "/nowhere")
    #expect(Fixture.outcome(agreed, trusted: [signer], folder: folder.path).contains("cannot follow the link"))
  }

  @Test func whatIsNoFile() throws {
    let folder = Folder()
    func sign() throws { _ = try ModelSigner.sign(folder: folder.path, name: "m", key: Fixture.privateKey()) }
    #expect(throws: FolderRejection.empty) { try sign() }
    folder.write("x", "model.sig")
    #expect(throws: FolderRejection.empty) { try sign() }
    folder.write("x", "file")
    try sign()
    mkfifo(folder.path + "/pipe", 0o600)
    #expect(throws: FolderRejection.special("pipe")) { try sign() }
    folder.remove("pipe")
    let name: [CChar] = Array(folder.path.utf8CString.dropLast()) + [0x2F, 0x61, CChar(bitPattern: 0xFF), 0]
    close(open(name, O_CREAT | O_WRONLY, 0o600))
    #expect(throws: FolderRejection.nameNotUTF8(folder: "")) { try sign() }
    unlink(name)
    let deep = Array(repeating: "d", count: SignatureLimits.componentsMax).joined(separator: "/")
    folder.write("x", deep + "/file")
    #expect(throws: FolderRejection.self) { try sign() }
    folder.remove("d")
    try sign()
  }

  /// Beyond the bound nothing is read, however many files there are.
  @Test func tooManyFiles() throws {
    let folder = Folder()
    for i in 0..<SignatureLimits.filesMax { close(open("\(folder.path)/\(i)", O_CREAT | O_WRONLY, 0o600)) }
    let listing = try FolderListing(folder.path, ignoring: [], allowsSymlinks: false)
    #expect(listing.entries.count == SignatureLimits.filesMax)
    folder.write("x", "one/more")
    #expect(throws: FolderRejection.tooMany(filesMax: SignatureLimits.filesMax)) {
      try FolderListing(folder.path, ignoring: [], allowsSymlinks: false)
    }
  }

  /// What `progress` throws ends the work at once.
  @Test func hashingCanBeStopped() throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try ModelSigner.sign(folder: Fixture.model, name: "m", key: Fixture.privateKey()) { _, _ in throw Stop() }
    }
  }
}
