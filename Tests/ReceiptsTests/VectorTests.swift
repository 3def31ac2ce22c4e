import Digests
import Foundation
import ModelGraph
import Receipts
import Testing
import Transparency

/// The golden vectors of docs/spec/evidence.md, section 14.
@Suite struct VectorTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors")

  /// Everything between the inputs and the receipt, by name.
  static var intermediate: JSON {
    let record = Sample.record
    let salt = Sample.salt
    var chain = AnswerChain(salt: salt, receiptID: record.receiptID)
    var links: [JSON] = [.string(chain.head.hex)]
    for token in record.outputTokens {
      chain.append(token)
      links.append(.string(chain.head.hex))
    }
    let statement = ReceiptSigner(key: Sample.key).statement(record, salt: salt)
    return [
      "secretKey": .string(Hex.string(Array(0..<32))),
      "publicKey": .string(Sample.key.publicKey.hex),
      "keyId": .string(Sample.key.publicKey.id.hex),
      "salt": .string(Hex.string(salt.bytes)),
      "promptSalt": .string(Hex.string(salt.derived(for: .promptCommitment))),
      "requestBytes": .string(Hex.string(record.request.canonicalBytes)),
      "promptCommitment": .string(Commitment.prompt(record.request, salt: salt).hex),
      "inputTokenDigest": .string(TokenDigest.input(record.inputTokens).hex),
      "inputTokenCommitment": .string(Commitment.inputTokens(record.inputTokens, salt: salt).hex),
      "outputTokenDigest": .string(TokenDigest.output(record.outputTokens).hex),
      "outputTokenCommitment": .string(Commitment.outputTokens(record.outputTokens, salt: salt).hex),
      "textCommitment": .string(Commitment.text(record.text, salt: salt).hex),
      "parametersDigest": .string(record.parameters.digest.hex),
      "streamLinks": .array(links),
      "preAuthenticationEncodingDigest": .string(
        Digest<Envelope>(of: Envelope.preAuthenticationEncoding(of: statement.payload)).hex),
      "leafHash": .string(
        Hex.string(Envelope(signing: statement.payload, with: Sample.key).leafHash.bytes)),
      "witness": .string(Sample.witness.verifierKey.description),
    ]
  }

  static func files() throws -> [(name: String, bytes: [UInt8])] {
    let (receipt, opening) = try ReceiptSigner(key: Sample.key).sign(Sample.record, salt: Sample.salt)
    let model: JSON = ["note": "stands for a model manifest; its digest is not the stated one"]
    return [
      ("statement.json", receipt.statement.payload),
      ("receipt.json", receipt.bytes),
      (
        "opened.evidence.json",
        try EvidenceFile(
          receipt: receipt.envelope, opening: .answer(opening), model: model,
          log: Sample.proof(of: receipt.envelope)
        ).bytes()
      ),
      ("intermediate.json", try intermediate.canonicalBytes()),
    ]
  }

  /// Run with EVIDENT_WRITE_VECTORS=1 to write them anew after a change of format.
  @Test func vectorsAreReproduced() throws {
    for (name, bytes) in try VectorTests.files() {
      let url = VectorTests.folder.appending(path: name)
      if ProcessInfo.processInfo.environment["EVIDENT_WRITE_VECTORS"] == "1" { try Data(bytes).write(to: url) }
      #expect(try Array(Data(contentsOf: url)) == bytes, "\(name)")
    }
  }
}
