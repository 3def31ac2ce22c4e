import Digests
import ModelGraph
import Receipts
import Transparency

/// Envelopes that a log takes. No model is needed to sign a statement.
struct SignedStatements {
  let signer: ReceiptSigner
  var publicKey: NodePublicKey { signer.publicKey }

  init(seed: UInt8 = 1) { signer = ReceiptSigner(key: NodeSigningKey(seed: Array(repeating: seed, count: 32))!) }

  func envelope(_ number: Int) throws -> Envelope {
    let record = AnswerRecord(
      receiptID: "rcpt-\(number)", responseID: "chatcmpl-\(number)", model: Digest(of: Array("a manifest".utf8)),
      requestedName: "evident-tiny", request: .chat([.init(role: "user", content: "Hello")]), inputTokens: [1, 2],
      parameters: try SamplingParameters(maxTokens: 4), nonce: .none, outputTokens: [3, 4], text: "!",
      finish: .tokenLimit, deliveredTokens: 2, software: "evident 0.1.0", time: "2026-11-24T12:00:00Z")
    return try signer.sign(record, salt: Salt(Array(repeating: 9, count: 32))!).receipt.envelope
  }

  func entries(_ range: Range<Int>) throws -> [[UInt8]] { try range.map { try envelope($0).bytes } }
}
