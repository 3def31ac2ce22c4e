import Digests
import Foundation
import ModelGraph
import Receipts
import TestSupport
import Testing
import Verification

/// Signed streams: what arrives is checked as it arrives, and every change to it is named.
@Suite struct StreamTests {
  static let id = "rcpt_0123456789abcdef"
  static let pieces = ["Evi", "dent ", "", "is ", "open", " \"AI\"\n", "é", "!", "", "."]
  static let tokens: [Int32] = [5, 6, 7, 1_048_575, 9, 10, 11, 12, 13, 2]

  /// The chunks of a stream, a token each, as the API writes them.
  func chunks(every: Int, completions: Bool = false) -> [JSON] {
    var signer = ReceiptSigner(key: TinyLog.key).stream(salt: Salt(Array(0..<32))!, receiptID: Self.id, every: every)
    var out: [JSON] = completions ? [] : [["choices": [["delta": ["role": "assistant", "content": ""]]]]]
    func chunk(_ text: String, _ checkpoint: StreamCheckpoint?, _ finish: JSON) -> JSON {
      var body = JSONObject()
      let delta: JSON = finish.isNull ? ["content": .string(text)] : [:]
      body["choices"] = [
        completions ? ["text": .string(text), "finish_reason": finish] : ["delta": delta, "finish_reason": finish]
      ]
      if let checkpoint { body["evident"] = checkpoint.json }
      return .object(body)
    }
    for (token, piece) in zip(Self.tokens, Self.pieces) {
      signer.append(text: Array(piece.utf8))
      signer.append(tokens: [token])
      if !piece.isEmpty { out.append(chunk(piece, signer.isDue ? signer.checkpoint() : nil, .null)) }
    }
    out.append(chunk("", signer.checkpoint(), "stop"))
    return out
  }

  func bytes(_ chunks: [JSON], done: Bool = true) -> [UInt8] {
    Array((chunks.map { "data: \($0.text())\n\n" }.joined() + (done ? "data: [DONE]\n\n" : "")).utf8)
  }

  @Test func wholeStreamsVerify() throws {
    for every in [1, 2, 3, 16] {
      for completions in [false, true] {
        let chunks = chunks(every: every, completions: completions)
        let verdict = StreamVerdict(bytes(chunks), keys: [TinyLog.key.publicKey])
        #expect(verdict.outcome == .verified && verdict.isComplete && verdict.exitStatus == 0)
        #expect(verdict.verifier.signedTokens == 10 && verdict.finishReason == "stop")
        #expect(verdict.verifier.signedBytes == Self.pieces.joined().utf8.count)
        // The head of the whole stream is the one in the receipt.
        #expect(
          verdict.verifier.head == AnswerChain(salt: Salt(Array(0..<32))!, receiptID: Self.id, tokens: Self.tokens).head
        )
        #expect(verdict.json["schema"]?.string == StreamVerdict.schema && verdict.text.contains("VERIFIED"))
      }
    }
    #expect(
      chunks(every: 1).count { $0["evident"] != nil } == 9 && chunks(every: 16).count { $0["evident"] != nil } == 1)
  }

  /// Cut at every byte: what a checkpoint covered before the cut still verifies.
  @Test func cutStreamsVerifyAsFarAsTheyWereSigned() throws {
    let whole = bytes(chunks(every: 2))
    var last = 0
    for length in whole.indices {
      let verdict = StreamVerdict(Array(whole[..<length]))
      #expect(verdict.outcome == (verdict.verifier.checkpoints > 0 ? .verified : .unchecked), "\(length)")
      #expect(verdict.verifier.signedTokens >= last && !verdict.isComplete)
      last = verdict.verifier.signedTokens
    }
    #expect(last == 10)
    let cut = StreamVerdict(Array(whole[..<(whole.count / 2)]))
    #expect(cut.outcome == .verified && cut.finishReason == nil && cut.text.contains("stream   cut"))
    // Nobody signs an end mark: what looks whole is only a beginning, too.
    let marked = StreamVerdict(bytes(Array(chunks(every: 2).prefix(5))))
    #expect(marked.outcome == .verified && marked.isComplete && marked.finishReason == nil)
    #expect(marked.text.contains("whether the answer ended here: nobody signs"))
  }

  @Test func streamsWithoutCheckpointsAreNotChecked() {
    let plain = chunks(every: 1).map { chunk in
      var object = JSONObject()
      for member in chunk.object!.members where member.key != "evident" { object[member.key] = member.value }
      return JSON.object(object)
    }
    let verdict = StreamVerdict(bytes(plain))
    #expect(verdict.outcome == .unchecked && verdict.exitStatus == 2 && verdict.verifier.textBytes > 0)
    #expect(StreamVerdict([]).outcome == .unchecked)
  }

  /// Every member of a checkpoint, and the text beside it.
  @Test func everyChangeIsNamed() throws {
    let chunks = chunks(every: 3)
    let at = chunks.indices.filter { chunks[$0]["evident"] != nil }
    #expect(at.count >= 3)
    let other = TinyLog.oldKey.publicKey.hex
    func verdict(_ index: Int, _ change: (inout JSONObject) -> Void) -> String {
      var altered = chunks
      var body = altered[index].object!
      var member = body["evident"]!.object!
      change(&member)
      body["evident"] = .object(member)
      altered[index] = .object(body)
      let verdict = StreamVerdict(bytes(altered))
      #expect(verdict.outcome == .refuted && verdict.exitStatus == 1)
      return verdict.reason
    }
    let digest = JSON.string("sha256:" + String(repeating: "ab", count: 32))
    let signature = JSON.string(Base64.string(Array(repeating: 1, count: 64)))
    for (k, index) in at.enumerated() {
      #expect(
        verdict(index) { $0["receiptId"] = "rcpt_other" }.contains(k == 0 ? "chain head" : "belongs to the receipt"))
      #expect(verdict(index) { $0["deliveredTokens"] = 1 }.contains("speaks of 1 tokens"))
      // The last one may come right after another and name no tokens.
      let count = chunks[index]["evident"]!["tokens"]!.array!.count
      #expect(verdict(index) { $0["tokens"] = .array(Array(repeating: 1, count: count + 1)) }.contains("tokens, and"))
      if count > 0 {
        #expect(verdict(index) { $0["tokens"] = [] }.contains("tokens, and"))
        #expect(
          verdict(index) { $0["tokens"] = .array(Array(repeating: 1, count: count)) }.contains("chain head"))
      }
      #expect(verdict(index) { $0["head"] = digest }.contains("chain head"))
      #expect(verdict(index) { $0["text"] = digest }.contains("bytes of text"))
      #expect(verdict(index) { $0["signature"] = signature }.contains("signature was not made"))
      #expect(verdict(index) { $0["extra"] = 1 }.contains("not a member"))
      #expect(
        verdict(index) { $0["publicKey"] = .string(other) }.contains(
          k == 0 ? "signature was not made" : "of its own"))
      #expect(
        verdict(index) { $0["start"] = .string(String(repeating: "ab", count: 32)) }.contains(
          k == 0 ? "chain head" : "of its own"))
    }
    #expect(verdict(at[0]) { $0.removeMember("start") }.contains("no start and key"))
    #expect(verdict(at[0]) { $0.removeMember("publicKey") }.contains("no start and key"))
    // A chunk dropped, doubled, or with other text.
    for index in chunks.indices.dropFirst().dropLast() {
      let dropped = StreamVerdict(bytes(Array(chunks[..<index] + chunks[(index + 1)...])))
      #expect(dropped.outcome == .refuted, "\(index)")
      let doubled = StreamVerdict(bytes(Array(chunks[...index] + chunks[index...])))
      #expect(doubled.outcome == .refuted, "\(index)")
    }
    let altered = String(decoding: bytes(chunks), as: UTF8.self).replacing("open", with: "shut")
    #expect(StreamVerdict(Array(altered.utf8)).reason.contains("bytes of text"))
    #expect(
      StreamVerdict(bytes(chunks), keys: [TinyLog.oldKey.publicKey]).reason.contains("none of the keys you named"))
  }

  /// Random damage: never a crash, and what verifies is a beginning of what was signed.
  @Test func randomDamageNeverVerifiesAnotherText() throws {
    let seed =
      ProcessInfo.processInfo.environment["EVIDENT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("EVIDENT_SEED=\(seed)")
    var random = SplitMix64(seed: seed)
    let whole = bytes(chunks(every: 2))
    let text = Array(Self.pieces.joined().utf8)
    var verified = 0
    for round in 0..<3000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) where !damaged.isEmpty {
        let i = Int.random(in: damaged.indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: damaged[i] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: damaged.remove(at: i)
        case 2: damaged.insert(damaged.randomElement(using: &random)!, at: i)
        default: damaged.removeSubrange(i..<min(i + Int.random(in: 1...300, using: &random), damaged.count))
        }
      }
      let verdict = StreamVerdict(damaged, keys: [TinyLog.key.publicKey])
      guard verdict.outcome == .verified else { continue }
      verified += 1
      let found = try StreamTranscript(damaged).events.map(\.text).joined()
      let covered = Array(found.utf8.prefix(verdict.verifier.signedBytes))
      #expect(text.starts(with: covered), "EVIDENT_SEED=\(seed), round \(round)")
    }
    #expect(verified > 0 && verified < 2000)
  }

  @Test func whatIsNoStreamIsRefused() {
    for (text, reason) in [
      ("data: {\n\n", "event 1 of the stream: it is not JSON"), ("data: [DONE]\n\ndata: {}\n\n", "after the end mark"),
      ("data: {\"evident\": 1}\n\n", "evident must be an object"),
      ("data: {\"evident\": {}}\n\n", "evident.receiptId is missing"),
    ] {
      let verdict = StreamVerdict(Array(text.utf8))
      #expect(verdict.outcome == .refuted && verdict.reason.contains(reason), "\(verdict.reason)")
    }
    // Other fields, comments, other line ends and foreign members are not ours.
    // Lines of data in one event have newlines between them (HTML, "Server-sent events").
    let lines = "data: {\"choices\": [{\ndata: \"text\": \"a\"}]}\n\n"
    #expect(StreamVerdict(Array(lines.utf8)).verifier.textBytes == 1)
    let torn = lines.replacing("\"a\"", with: "\"a\ndata: \"")
    #expect(StreamVerdict(Array(torn.utf8)).outcome == .refuted)
    let free = ": hello\nevent: x\ndata:{\"choices\": [], \"x\": 1}\r\n\r\ndata: {\"choices\": [{\"text\": 7}]}\n\n"
    #expect(StreamVerdict(Array(free.utf8)).outcome == .unchecked)
  }
}

extension JSONObject {
  fileprivate mutating func removeMember(_ key: String) {
    var left = JSONObject()
    for member in members where member.key != key { left[member.key] = member.value }
    self = left
  }
}
