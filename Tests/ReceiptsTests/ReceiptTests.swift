import Digests
import ModelGraph
import Receipts
import Testing
import Transparency

@Suite struct ReceiptTests {
  let signer = ReceiptSigner(key: Sample.key)

  @Test func whatIsSignedCanBeReadBack() throws {
    let (receipt, opening) = try signer.sign(Sample.record, salt: Sample.salt)
    #expect(try SignedReceipt.parse(receipt.bytes) == receipt)
    #expect(try Statement.parse(receipt.statement.payload) == receipt.statement)
    #expect(try Envelope.parse(receipt.bytes).bytes == receipt.bytes)
    #expect(receipt.envelope.isSigned(by: Sample.key.publicKey))
    let file = EvidenceFile(receipt: receipt.envelope, opening: .answer(opening), model: ["a": [1, "x", .null, true]])
    #expect(try EvidenceFile.parse(file.bytes()) == file)
    let sealed = EvidenceFile(receipt: receipt.envelope, opening: nil, model: [:])
    #expect(try EvidenceFile.parse(sealed.bytes()) == sealed)
    var logged = file
    logged.log = Sample.proof(of: receipt.envelope)
    logged.keys = [LoggedEntry(entry: receipt.envelope, log: Sample.proof(of: receipt.envelope))]
    #expect(try EvidenceFile.parse(logged.bytes()) == logged && logged != file)
    let text = try #require(try JSON.parse(logged.bytes())["log"]?.string)
    #expect(Array(text.utf8) == Sample.proof(of: receipt.envelope).bytes)
    #expect(try JSON.isCanonical(file.bytes(), file.json) && JSON.isCanonical(receipt.bytes, receipt.envelope.json))
  }

  @Test func aReceiptAloneRevealsNeitherPromptNorAnswer() throws {
    let record = Sample.record
    let receipt = try signer.sign(record, salt: Sample.salt).receipt
    let shown = String(decoding: receipt.statement.payload, as: UTF8.self)
    for word in ["brief", "reçu", "récépissé", "1048575", "65536"] { #expect(!shown.contains(word)) }
    // Nor can a guess be confirmed without the salt.
    for digest in [
      TokenDigest.input(record.inputTokens).hex, TokenDigest.output(record.outputTokens).hex,
      Digest<Salt>(of: Array(record.text.utf8)).hex, Digest<Salt>(of: record.request.canonicalBytes).hex,
    ] { #expect(!shown.contains(digest)) }
    // And another salt changes everything that depends on prompt or answer.
    let other = signer.statement(record, salt: Salt(Array(repeating: 1, count: 32))!)
    #expect(other.input.promptCommitment != receipt.statement.input.promptCommitment)
    #expect(other.input.tokenCommitment != receipt.statement.input.tokenCommitment)
    #expect(other.output.tokenCommitment != receipt.statement.output.tokenCommitment)
    #expect(other.output.textCommitment != receipt.statement.output.textCommitment)
    #expect(other.stream.head != receipt.statement.stream.head)
  }

  @Test func whatNoStatementCanSayIsNotSigned() {
    func refused(_ path: String, _ change: (inout AnswerRecord) -> Void) {
      var record = Sample.record
      change(&record)
      do {
        _ = try signer.sign(record, salt: Sample.salt)
        Issue.record("signed with a wrong \(path)")
      } catch Rejection.field(_, let error) {
        #expect(error.path == path)
      } catch {
        Issue.record("\(error)")
      }
    }
    refused("predicate.receiptId") { $0.receiptID = "a/b" }
    refused("subject[0].name") { $0.responseID = "" }
    refused("predicate.model.requestedName.bytes") { $0.requestedName = String(repeating: "x", count: 257) }
    refused("predicate.nonce.value") { $0.nonce = .init(source: .node, value: [1]) }
    refused("predicate.time") { $0.time = "2026-02-29T00:00:00Z" }
    refused("predicate.time") { $0.time = "2026-01-01T00:00:60Z" }
    refused("predicate.promise.loggedBy") {
      $0.promise = .init(log: Sample.log.verifierKey, loggedBy: "2026-02-29T00:00:00Z")
    }
    refused("predicate.promise.log") {
      $0.promise = .init(log: Sample.witness.verifierKey, loggedBy: "2026-03-01T00:00:00Z")
    }
    refused("predicate.input.tokenCount") { $0.inputTokens = [] }
    refused("opening.inputTokens[0]") { $0.inputTokens = [-1] }
    refused("opening.request.messages[0].role") { $0.request = .chat([.init(role: "", content: "")]) }
  }

  @Test func signingIsAPureFunction() throws {
    let a = try signer.sign(Sample.record, salt: Sample.salt).receipt.bytes
    let b = try signer.sign(Sample.record, salt: Sample.salt).receipt.bytes
    #expect(a == b)
  }

  @Test func textsAreComparedByteByByte() {
    #expect(Request.completion(prompt: "\u{e9}") != .completion(prompt: "e\u{301}"))
    #expect(
      Commitment.text("\u{e9}", salt: Sample.salt) != Commitment.text("e\u{301}", salt: Sample.salt))
  }

  @Test func theLargestStatementFits() throws {
    var record = Sample.record
    record.requestedName = String(repeating: "\u{1}", count: 256)
    record.software = String(repeating: "\u{1}", count: 128)
    record.receiptID = String(repeating: "r", count: 128)
    record.responseID = String(repeating: "r", count: 128)
    record.parameters = try SamplingParameters(
      logitBias: (0..<4096).map { .init(token: 1_040_000 + Int32($0), micros: -100_000_000) }, seed: .max,
      maxTokens: 1 << 20, stop: Array(repeating: String(repeating: "\u{1}", count: 1024), count: 16))
    let receipt = try signer.sign(record, salt: Sample.salt).receipt
    #expect(try SignedReceipt.parse(receipt.bytes) == receipt)
  }

  /// An envelope that cannot be an entry of a log promises nothing, and one byte less promises.
  @Test func onlyWhatFitsALogIsPromised() throws {
    var record = Sample.record
    func envelope(_ count: Int) throws -> SignedReceipt {
      let stop = (0..<16).map { String(repeating: "x", count: max(1, min(1024, count - $0 * 1024))) }
      record.parameters = try SamplingParameters(
        logitBias: (0..<900).map { .init(token: 1_000_000 + Int32($0), micros: -100_000_000) }, maxTokens: 64,
        stop: stop)
      return try signer.sign(record, salt: Sample.salt).receipt
    }
    var (low, high) = (1, 16 << 10)
    #expect(try envelope(low).claim.promise != nil && envelope(high).claim.promise == nil)
    while high - low > 1 {
      let middle = (low + high) / 2
      if try envelope(middle).claim.promise == nil { high = middle } else { low = middle }
    }
    let (kept, dropped) = (try envelope(low), try envelope(high))
    let limit = EntryBundle.entryBytesMax
    // Base64 grows by four bytes at a time.
    #expect((limit - 3...limit).contains(kept.bytes.count) && kept.claim.promise == Sample.record.promise)
    #expect(dropped.envelope.isSigned(by: Sample.key.publicKey) && dropped.bytes.count <= limit + 4)
    #expect(try SignedReceipt.parse(dropped.bytes) == dropped)
  }
}
