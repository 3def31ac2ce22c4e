import Receipts
import Transparency

/// What the log's proof of a receipt shows under the verifier's policy: found once, for every check that asks.
struct LogFinding: Sendable {
  let proof: InclusionEvidence
  let inclusion: Result<Void, ProofRejection>
  /// The key of the log that signed the checkpoint.
  let log: Result<NoteVerifierKey, CheckpointRejection>
  /// The cosignatures; a failure when the log's signature is one, too.
  let verdict: Result<PolicyVerdict, CheckpointRejection>

  /// - Parameter promised: the log that the statement promises.
  init(_ proof: InclusionEvidence, of envelope: Envelope, promised: NoteVerifierKey?, under trust: LogTrust) {
    self.proof = proof
    let signed = proof.signed
    inclusion = Result { () throws(ProofRejection) in
      try proof.proof.verify(leaf: envelope.leafHash, root: signed.checkpoint.root)
    }
    log = Result { () throws(CheckpointRejection) in
      let first = try signed.verified(by: trust.logs).log
      // A log may have several keys of one name, and sign with each: then the promised one is looked for.
      guard let promised, promised != first else { return first }
      return (try? signed.verified(by: [promised]).log) ?? first
    }
    verdict = Result { () throws(CheckpointRejection) in
      try trust.policy.evaluate(signed, furtherLogs: trust.furtherLogs)
    }
  }

  /// When the quorum had seen the checkpoint, in seconds since 1970; nil unless all of this holds, and a witness
  /// was asked for.
  var seen: Int64? {
    guard case .success = inclusion, case .success(let verdict) = verdict, case .reached(let time) = verdict.quorum
    else { return nil }
    return Int64(clamping: time)
  }
}

/// Whom the verifier believes about a receipt's log.
struct LogTrust: Sendable {
  let policy: TrustPolicy
  /// The receipt itself named the log: nobody chose it, nor any witness.
  let isBuiltIn: Bool
  /// The promised log, where the policy leaves logs open.
  let furtherLogs: [NoteVerifierKey]

  /// - Returns: nil where neither a policy nor a promise names a log.
  init?(policy: TrustPolicy?, promise: Statement.Promise?) {
    if let policy {
      if policy.logs.isEmpty && promise == nil { return nil }
      self.policy = policy
      // Whoever names neither a log nor a witness has chosen nobody: the same as without a policy.
      isBuiltIn = policy.logs.isEmpty && !policy.asksForWitnesses
      furtherLogs = policy.logs.isEmpty ? promise.map { [$0.log] } ?? [] : []
    } else if let promise {
      self.policy = TrustPolicy(log: promise.log)
      isBuiltIn = true
      furtherLogs = []
    } else {
      return nil
    }
  }

  /// The logs whose signature counts.
  var logs: [NoteVerifierKey] { policy.logs.map(\.key) + furtherLogs }
}
