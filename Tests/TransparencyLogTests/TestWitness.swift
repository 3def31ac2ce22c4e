import Synchronization
import Testing
import Transparency
import TransparencyLog

/// A witness in this process that keeps to the protocol, and can be told to be away.
final class TestWitness: WitnessClient {
  enum Mood: Sendable { case well, away, refusing, lying, slow, held }

  private struct State {
    var size: UInt64 = 0
    var root = MerkleHash.emptyRoot
    var mood = Mood.well
    var bodies: [String] = []
    /// Of the next cosignature; a second passes with each.
    var time: UInt64 = 1_800_000_000
  }
  let signer: CosignatureSigner
  private let log: NoteVerifierKey
  private let state = Mutex(State())
  private let gate = AsyncStream<Void>.makeStream()

  init(_ number: UInt8, log: NoteVerifierKey) throws {
    signer = try CosignatureSigner(
      name: ByteText("witness.example/\(number)"), seed: [UInt8](repeating: number, count: 32))
    self.log = log
  }

  var link: WitnessLink { WitnessLink(name: signer.verifierKey.name, key: signer.verifierKey, client: self) }
  var size: UInt64 { state.withLock { $0.size } }
  var requests: [String] { state.withLock { $0.bodies } }
  func become(_ mood: Mood) { state.withLock { $0.mood = mood } }
  /// What is held is answered.
  func release() {
    become(.well)
    gate.continuation.finish()
  }
  /// As if it had been restored, or the log shown to it by someone else.
  func set(size: UInt64, root: MerkleHash) { state.withLock { ($0.size, $0.root) = (size, root) } }

  struct Away: Error {}

  func addCheckpoint(_ body: [UInt8]) async throws -> WitnessAnswer {
    if state.withLock({ $0.mood == .slow }) { try await Task.sleep(for: .seconds(60)) }
    if state.withLock({ $0.mood == .held }) { for await _ in gate.stream {} }
    return try state.withLock { state in
      let text = String(decoding: body, as: UTF8.self)
      state.bodies.append(String(text.prefix { $0 != "\n" }))
      switch state.mood {
      case .well, .slow, .held: break
      case .away: throw Away()
      case .refusing: return .refused(status: 403, text: "not you")
      case .lying:
        let other = try CosignatureSigner(name: signer.verifierKey.name, seed: [UInt8](repeating: 99, count: 32))
        let checkpoint = try Checkpoint(origin: log.name, size: 1, root: .emptyRoot)
        return .cosigned([other.cosign(checkpoint, timestamp: 1)])
      }
      let end = try #require(text.firstRange(of: "\n\n"))
      let lines = text[..<end.lowerBound].split(separator: "\n")
      let old = try #require(UInt64(lines[0].dropFirst(4)))
      let signed = try SignedCheckpoint(parsing: Array(text[end.upperBound...].utf8))
      _ = try signed.verified(by: [log])
      guard old == state.size else { return .knows(size: state.size) }
      let checkpoint = signed.checkpoint
      let hashes = try lines.dropFirst().map { try #require(MerkleHash(base64: Array($0.utf8))) }
      if old > 0 {
        try ConsistencyProof(oldSize: old, newSize: checkpoint.size, hashes: hashes)
          .verify(oldRoot: state.root, newRoot: checkpoint.root)
      } else {
        #expect(hashes.isEmpty)
      }
      (state.size, state.root) = (checkpoint.size, checkpoint.root)
      state.time += 1
      return .cosigned([signer.cosign(checkpoint, timestamp: state.time)])
    }
  }
}
