import Digests
import Foundation
import ModelGraph
import Receipts
import TestSupport
import Testing
import Verification

/// Random damage to an evidence file: never a crash, and never a pass for another meaning.
///
/// Two files mean the same when they are read as equal values: same members, same texts byte by byte,
/// same integers, same signed bytes. Only white space, the order of members and the spelling of escapes
/// inside strings of the file itself are free; inside the signed payload nothing is.
@Suite struct MutationTests {
  let seed =
    ProcessInfo.processInfo.environment["EVIDENT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)

  @Test func randomDamageNeverPasses() throws {
    print("EVIDENT_SEED=\(seed)")
    var random = SplitMix64(seed: seed)
    let node = TinyNode()
    let honest = try node.file(try node.answer(.busy))
    let bytes = try honest.bytes()
    var verifier = Verifier(node.options())
    #expect(verifier.verify(bytes).outcome == .verified)
    var passed = 0
    let rounds = 4000
    for round in 0..<rounds {
      let damaged = damage(bytes, &random)
      // Replay is the slowest check and cannot rescue anything: it runs in every tenth round.
      verifier = Verifier(node.options(replay: round % 10 == 0))
      guard verifier.verify(damaged).outcome == .verified else { continue }
      passed += 1
      #expect(try EvidenceFile.parse(damaged) == honest, "EVIDENT_SEED=\(seed), round \(round)")
    }
    // Nearly all damage means something else.
    #expect(passed < rounds / 4)
  }

  @Test func truncationsAndRepetitionsNeverPass() throws {
    let node = TinyNode()
    let bytes = try node.file(try node.answer(.busy)).bytes()
    let verifier = Verifier(node.options(replay: false))
    for length in stride(from: 0, to: bytes.count, by: 37) {
      let verdict = verifier.verify(Array(bytes[..<length]))
      #expect(verdict.failures.count == 1 && verdict.outcome == .refuted)
    }
    #expect(
      verifier.verify(bytes + bytes).failures == [
        "fileStructure: the evidence file cannot be read: bytes after the end of the JSON value at byte \(bytes.count)"
      ])
  }

  @Test func absurdInputsAreRefusedBeforeTheyCost() {
    let verifier = Verifier()
    let deep = Array(repeating: UInt8(ascii: "["), count: 1 << 20)
    #expect(
      verifier.verify(deep).failures == [
        "fileStructure: the evidence file cannot be read: JSON is nested deeper than 16 at byte 16"
      ])
    let long = [UInt8](repeating: UInt8(ascii: " "), count: (32 << 20) + 1)
    #expect(
      verifier.verify(long).failures == [
        "fileStructure: the evidence file cannot be read: JSON is 33554433 bytes long; the limit is 33554432"
      ])
    for bytes: [UInt8] in [[], [0], Array("null".utf8), Array("[]".utf8), Array("{}".utf8), [0xFF, 0xFE]] {
      let verdict = verifier.verify(bytes)
      #expect(verdict.outcome == .refuted && verdict.claim == nil)
      #expect(verdict.text(color: true).contains("REFUTED") && verdict.json["verdict"]?.string == "refuted")
    }
  }

  private func damage(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var out = bytes
    for _ in 0..<(Bool.random(using: &random) ? 1 : Int.random(in: 2...8, using: &random)) {
      let i = Int.random(in: out.indices, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: out[i] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: out[i] = UInt8.random(in: 0...255, using: &random)
      case 2: out.remove(at: i)
      case 3: out.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: i)
      case 4:
        let count = min(Int.random(in: 1...40, using: &random), out.count - i)
        out.removeSubrange(i..<(i + count))
      default:
        // A digit, a letter or a bracket where there was another: stays well-formed more often.
        let same = out.indices.filter { isAlike(out[$0], out[i]) }
        out[i] = out[same.randomElement(using: &random)!]
      }
      if out.isEmpty { return out }
    }
    return out
  }

  private func isAlike(_ a: UInt8, _ b: UInt8) -> Bool {
    func kind(_ c: UInt8) -> Int {
      switch c {
      case 0x30...0x39: 0
      case 0x41...0x5A: 1
      case 0x61...0x7A: 2
      default: 3
      }
    }
    return kind(a) == kind(b)
  }
}
