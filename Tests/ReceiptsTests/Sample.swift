import Digests
import ModelGraph
import Receipts
import Transparency

/// The record behind the golden vectors. No model is needed to sign a statement.
enum Sample {
  static let key = NodeSigningKey(seed: Array(0..<32))!
  static let salt = Salt(Array(32..<64))!

  static var record: AnswerRecord {
    AnswerRecord(
      receiptID: "rcpt_00112233445566778899aabbccddeeff", responseID: "chatcmpl-0011223344556677",
      model: Digest(of: Array("a manifest".utf8)), requestedName: "evident-tiny",
      request: .chat([
        .init(role: "system", content: "Be brief."),
        .init(role: "user", content: "Qu'est-ce que c'est, un \"reçu\"?\n"),
      ]),
      inputTokens: [1, 17, 300, 65_536, 1_048_575],
      parameters: try! SamplingParameters(
        temperatureMicros: 700_000, topK: 40, topPMicros: 950_000, minPMicros: 50_000,
        repetitionPenaltyMicros: 1_100_000, frequencyPenaltyMicros: -250_000, presencePenaltyMicros: 125_000,
        logitBias: [.init(token: 5, micros: -100_000_000), .init(token: 9, micros: 1_500_000)],
        seed: 18_446_744_073_709_551_615, maxTokens: 64, stop: ["\n\n", "END"]),
      nonce: .init(source: .client, value: Array(repeating: 0xA5, count: 16)),
      outputTokens: [42, 7, 2], text: "Un récépissé 🧾", finish: .endOfSequence, deliveredTokens: 3,
      software: "evident 0.1.0", time: "2026-02-28T12:34:56Z",
      promise: .init(log: log.verifierKey, loggedBy: "2026-03-01T12:34:56Z"))
  }

  static let log = try! NoteSigner(name: "log.example.org/evident", seed: Array(64..<96))
  static let witness = try! CosignatureSigner(name: "witness.example.org", seed: Array(96..<128))

  /// The log of three entries: another one, the envelope, another one; cosigned at 12:35:00 on that day.
  static func proof(of envelope: Envelope) -> InclusionEvidence {
    let leaves = [.leaf(Array("an entry before".utf8)), envelope.leafHash, .leaf(Array("an entry after".utf8))]
    let tree = MerkleTree(leaves: leaves)
    let checkpoint = try! Checkpoint(origin: log.verifierKey.name, size: tree.size, root: tree.root)
    let signed = try! SignedCheckpoint(
      checkpoint, signatures: [log.sign(checkpoint), witness.cosign(checkpoint, timestamp: 1_772_282_100)])
    return try! InclusionEvidence(index: 1, hashes: tree.inclusionProof(of: 1, in: tree.size).hashes, signed: signed)
  }
}

extension SignedReceipt {
  /// Of a receipt about an answer.
  var statement: Statement {
    guard case .answer(let statement) = claim else { preconditionFailure("this receipt is about an answer") }
    return statement
  }
}
