import Digests
import ModelGraph
import Receipts
import Transparency

/// Receipts of two nodes. No model is needed to sign one.
enum SampleReceipts {
  static let own = NodeSigningKey(seed: [UInt8](repeating: 11, count: 32))!
  static let other = NodeSigningKey(seed: [UInt8](repeating: 12, count: 32))!

  /// - Parameter loggedBy: until when it promises to be in the sample folder's log.
  static func receipt(_ number: Int, of key: NodeSigningKey, loggedBy: String) throws -> SignedReceipt {
    let digits = String(number)
    let id = String(repeating: "0", count: 32 - digits.utf8.count) + digits
    let record = AnswerRecord(
      receiptID: "rcpt_" + id, responseID: "chatcmpl-" + id, model: Digest(of: Array("a manifest".utf8)),
      requestedName: "evident-tiny", request: .chat([.init(role: "user", content: "Hello!")]),
      inputTokens: [1, 17, 300],
      parameters: try SamplingParameters(
        temperatureMicros: 0, topK: 0, topPMicros: 1_000_000, minPMicros: 0, repetitionPenaltyMicros: 1_000_000,
        frequencyPenaltyMicros: 0, presencePenaltyMicros: 0, logitBias: [], seed: 1, maxTokens: 64, stop: []),
      nonce: .init(source: .client, value: [UInt8](repeating: 7, count: 16)), outputTokens: [42, 2], text: "Hello.",
      finish: .endOfSequence, deliveredTokens: 2, software: "evident 0.1.0", time: "2026-02-28T12:34:56Z",
      promise: .init(log: SampleFolder.signer.verifierKey, loggedBy: loggedBy))
    return try ReceiptSigner(key: key).sign(record, salt: Salt([UInt8](repeating: 9, count: 32))!).receipt
  }
}
