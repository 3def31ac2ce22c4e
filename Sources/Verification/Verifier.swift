import Receipts

/// Decides about evidence. A pure function of the bytes and of what it was given: no network, no
/// clock, no randomness.
public struct Verifier: Sendable {
  public let options: VerifierOptions

  public init(_ options: VerifierOptions = VerifierOptions()) { self.options = options }

  /// The checks of a statement of that kind, in order.
  static func checks(of kind: Claim.Kind) -> [any Check.Type] {
    switch kind {
    case .answer:
      [
        FileStructureCheck.self,
        StatementStructureCheck.self,
        CanonicalPayloadCheck.self,
        SignatureCheck.self,
        KeyBindingCheck.self,
        SubjectBindingCheck.self,
        NonceBindingCheck.self,
        UsageCountsCheck.self,
        ManifestCheck.self,
        ParametersCheck.self,
        PromptCommitmentCheck.self,
        InputTokensCheck.self,
        OutputTokensCheck.self,
        TextCommitmentCheck.self,
        StreamChainCheck.self,
        FinishReasonCheck.self,
        InclusionCheck.self,
        LogSignatureCheck.self,
        WitnessQuorumCheck.self,
        LogTimeCheck.self,
        PromiseCheck.self,
        KeyHistoryCheck.self,
        RenderingCheck.self,
        DecodingCheck.self,
        ReplayCheck.self,
      ]
    case .embedding:
      [
        FileStructureCheck.self,
        StatementStructureCheck.self,
        CanonicalPayloadCheck.self,
        SignatureCheck.self,
        KeyBindingCheck.self,
        SubjectBindingCheck.self,
        EmbeddingUsageCheck.self,
        ManifestCheck.self,
        EmbeddingParametersCheck.self,
        EmbeddingPromptCheck.self,
        EmbeddingInputsCheck.self,
        VectorsCheck.self,
        InclusionCheck.self,
        LogSignatureCheck.self,
        WitnessQuorumCheck.self,
        LogTimeCheck.self,
        PromiseCheck.self,
        KeyHistoryCheck.self,
        EmbeddingRenderingCheck.self,
        EmbeddingReplayCheck.self,
      ]
    }
  }

  /// The verdict about an evidence file or a bare receipt. Bad evidence gives failed checks, never an
  /// error.
  ///
  /// - Soundness: every check is performed that can be, whatever the others found; a check that could
  ///   not be performed never counts as passed.
  public func verify(_ bytes: [UInt8]) -> Verdict {
    let evidence = Evidence(bytes, options: options)
    var results: [CheckResult] = []
    for check in Verifier.checks(of: evidence.kind) {
      let outcome: CheckOutcome
      do { outcome = try check.run(evidence) } catch { outcome = .skip(error) }
      results.append(CheckResult(check: check.name, outcome: outcome))
    }
    return Verdict(evidence, results)
  }
}
