public import Digests
public import Receipts

/// What a saved stream shows, cut or whole.
public struct StreamVerdict: Sendable {
  public static let schema = "evident.stream-verdict.v1"

  public let outcome: Verdict.Outcome
  /// In one sentence.
  public let reason: String
  /// What the checkpoints before the first wrong one cover.
  public let verifier: StreamVerifier
  /// Why the answer ended, as the stream says; nil when it was cut before.
  public let finishReason: String?
  public let isComplete: Bool

  /// - Parameter keys: the ones that the caller accepts; empty accepts any.
  public init(_ bytes: [UInt8], keys: Set<NodePublicKey> = []) {
    var verifier = StreamVerifier(keys: keys)
    let transcript: StreamTranscript
    do { transcript = try StreamTranscript(bytes) } catch {
      self.init(.refuted, error.description, verifier, nil)
      return
    }
    for (i, event) in transcript.events.enumerated() {
      verifier.append(event.text)
      guard let checkpoint = event.checkpoint else { continue }
      do throws(StreamRefutation) { try verifier.check(checkpoint) } catch {
        self.init(.refuted, "the checkpoint in event \(i + 1): \(error)", verifier, transcript)
        return
      }
    }
    guard let key = verifier.key else {
      self.init(
        .unchecked, "the stream has no checkpoint; a node signs them for those who ask with X-Evident-Stream: signed",
        verifier, transcript)
      return
    }
    let rest = verifier.textBytes - verifier.signedBytes
    let reason =
      "\(key) signed the first \(verifier.signedTokens) tokens, \(verifier.signedBytes) bytes of text"
      + (rest > 0 ? "; the last \(rest) bytes are not covered" : ", which is all that arrived")
    self.init(.verified, reason, verifier, transcript)
  }

  private init(
    _ outcome: Verdict.Outcome, _ reason: String, _ verifier: StreamVerifier, _ transcript: StreamTranscript?
  ) {
    self.outcome = outcome
    self.reason = reason
    self.verifier = verifier
    finishReason = transcript?.events.last { $0.finishReason != nil }?.finishReason
    isComplete = transcript?.isComplete ?? false
  }

  /// 0 verified, 1 refuted, 2 there was nothing to check.
  public var exitStatus: Int32 {
    switch outcome {
    case .verified: 0
    case .refuted: 1
    case .unchecked: 2
    }
  }

  /// The verdict for people.
  public var text: String {
    var lines: [String] = []
    if let id = verifier.receiptID { lines.append("receipt  \(id)") }
    if let key = verifier.key { lines.append("node     \(key)") }
    let count = verifier.checkpoints
    lines.append(
      "stream   \(isComplete ? "whole" : "cut"), \(count == 1 ? "1 checkpoint holds" : "\(count) checkpoints hold")")
    lines.append("not checked:")
    if verifier.key != nil, !verifier.namesKeys {
      lines.append("  - whose key signed: you named none to compare with")
    }
    lines.append(
      "  - whether the model gives these tokens, and whether they are this text: the receipt's evidence shows it")
    lines.append(
      "  - whether the answer ended here: nobody signs the end of a stream; the receipt's stream.head shows it")
    lines.append("")
    let word =
      switch outcome {
      case .verified: "VERIFIED"
      case .refuted: "REFUTED"
      case .unchecked: "NOT CHECKED"
      }
    lines.append("\(word): \(Shown.clean(reason))")
    return lines.joined(separator: "\n")
  }

  /// The verdict for programs.
  public var json: JSON {
    [
      "schema": .string(StreamVerdict.schema), "verdict": .string(outcome.rawValue),
      "exitStatus": .integer(Int(exitStatus)), "reason": .string(reason),
      "receiptId": verifier.receiptID.map { .string($0) } ?? .null,
      "node": verifier.key.map { .string($0.hex) } ?? .null, "checkpoints": .integer(verifier.checkpoints),
      "signedTokens": .integer(verifier.signedTokens), "signedBytes": .integer(verifier.signedBytes),
      "textBytes": .integer(verifier.textBytes), "head": verifier.head.map { .string($0.description) } ?? .null,
      "finishReason": finishReason.map { .string($0) } ?? .null, "isComplete": .bool(isComplete),
    ]
  }
}
