import Digests
import ModelGraph
import Receipts

/// Statements of the size that a node makes, about answers that nobody gave.
enum BenchStatements {
  /// Signed on all processors.
  static func entries(_ numbers: Range<Int>) async throws -> [[UInt8]] {
    let parts = 8
    return try await withThrowingTaskGroup(of: (Int, [[UInt8]]).self) { group in
      for part in 0..<parts {
        let from = numbers.lowerBound + numbers.count * part / parts
        let to = numbers.lowerBound + numbers.count * (part + 1) / parts
        group.addTask { (part, try (from..<to).map(entry)) }
      }
      var made = [[[UInt8]]](repeating: [], count: parts)
      for try await (part, entries) in group { made[part] = entries }
      return made.flatMap { $0 }
    }
  }

  private static func entry(_ number: Int) throws -> [UInt8] {
    guard let key = NodeSigningKey(seed: Array(repeating: 7, count: 32)),
      let salt = Salt(Array(repeating: 9, count: 32))
    else { preconditionFailure("32 bytes each") }
    let id = String(number, radix: 16)
    let record = AnswerRecord(
      receiptID: "rcpt-" + String(repeating: "0", count: 32 - id.count) + id, responseID: "chatcmpl-0000\(number)",
      model: Digest(of: Array("a manifest".utf8)), requestedName: "evident-tiny",
      request: .chat([.init(role: "user", content: "What is Evident?")]), inputTokens: [1, 2, 3],
      parameters: try SamplingParameters(maxTokens: 64), nonce: .none, outputTokens: [4, 5], text: "An answer.",
      finish: .endOfSequence, deliveredTokens: 2, software: "evident 0.1.0", time: "2026-11-24T12:00:00Z")
    return try ReceiptSigner(key: key).sign(record, salt: salt).receipt.bytes
  }
}
