import Digests
import Receipts
import Transparency
import Verification

/// What others hand to a log and to a verifier, with what must hold of all that is accepted. Both the mutation tests and
/// `scripts/fuzz.sh` run these; a violation traps, so that a fuzzer keeps its input.
enum FuzzedEvidence: String, CaseIterable, Sendable {
  case envelope, nodeStatement, evidenceFile, verdict, signedStream

  /// - Returns: whether the bytes were accepted.
  func accepts(_ bytes: [UInt8]) -> Bool {
    switch self {
    case .envelope: envelope(bytes)
    case .nodeStatement: nodeStatement(bytes)
    case .evidenceFile: evidenceFile(bytes)
    case .verdict: verdict(bytes)
    case .signedStream: signedStream(bytes)
    }
  }

  private static let key = NodeSigningKey(seed: Array(repeating: 7, count: 32))!
  private static let log = try! NoteVerifierKey(
    name: "log.example/evident", kind: .ed25519, publicKey: [UInt8](repeating: 9, count: 32))
  private static let policies: [TrustPolicy?] = [nil, TrustPolicy(log: log)]

  /// There is one spelling of what a log takes.
  private func envelope(_ bytes: [UInt8]) -> Bool {
    guard let envelope = try? Envelope.parse(bytes) else {
      precondition((try? SignedEntry.parse(bytes)) == nil, "a log takes envelopes only")
      return false
    }
    precondition((try? Envelope.parse(envelope.bytes)) == envelope)
    if let entry = try? SignedEntry.parse(bytes) { precondition(entry.envelope.bytes == bytes) }
    return true
  }

  /// What is read is written in one way, and admitted in no other; here signed by the key that has to, so that what
  /// comes after the signature is reached, too.
  private func nodeStatement(_ bytes: [UInt8]) -> Bool {
    let admitted = try? SignedEntry(Envelope(signing: bytes, with: FuzzedEvidence.key))
    guard let statement = try? NodeStatement.parse(bytes) else {
      precondition(admitted == nil)
      return false
    }
    let payload = statement.payload
    precondition((try? NodeStatement.parse(payload)) == statement)
    let isSpelledSo = payload == bytes && statement.signer == FuzzedEvidence.key.publicKey
    if case .succession(let succession) = statement {
      precondition((admitted != nil) == (isSpelledSo && succession.hasConsent))
    } else {
      precondition((admitted != nil) == isSpelledSo)
    }
    return true
  }

  private func evidenceFile(_ bytes: [UInt8]) -> Bool {
    guard let file = try? EvidenceFile.parse(bytes) else { return false }
    guard let written = try? file.bytes() else { preconditionFailure("what was read can be written") }
    precondition((try? EvidenceFile.parse(written)) == file)
    return true
  }

  /// A verdict about anything. Nobody knows the secret keys of that log and of witnesses, so none is `logged`.
  private func verdict(_ bytes: [UInt8]) -> Bool {
    var isVerified = false
    for policy in FuzzedEvidence.policies {
      var options = VerifierOptions()
      options.policy = policy
      let verdict = Verifier(options).verify(bytes)
      precondition(verdict.text(color: true).utf8.count + verdict.json.text().utf8.count < 1 << 20)
      precondition(policy == nil || !verdict.levels.contains { $0.level == .logged && $0.state == .established })
      if verdict.outcome == .verified {
        precondition(verdict.exitStatus == 0 && verdict.checks.allSatisfy { $0.outcome.word != "FAIL" })
        isVerified = true
      }
    }
    return isVerified
  }

  private func signedStream(_ bytes: [UInt8]) -> Bool {
    let verdict = StreamVerdict(bytes)
    precondition(verdict.text.utf8.count + verdict.json.text().utf8.count < 1 << 16)
    precondition(verdict.verifier.signedBytes <= verdict.verifier.textBytes)
    precondition(verdict.outcome != .verified || verdict.verifier.key != nil && verdict.verifier.checkpoints > 0)
    return verdict.outcome == .verified
  }
}
