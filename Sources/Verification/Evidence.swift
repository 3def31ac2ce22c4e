import Digests
import ModelGraph
import Receipts
import Transparency

/// The material of a verdict: what could be read of the bytes, and what the verifier may use.
struct Evidence: Sendable {
  let document: Result<Document, Rejection>
  /// nil when there is no document.
  let claimResult: Result<Claim, Rejection>?
  let modelResult: ModelResult
  /// nil without a claim, and where neither a policy nor a promise names a log.
  let trust: LogTrust?
  /// nil without trust, and without a proof.
  let finding: LogFinding?
  let options: VerifierOptions

  struct Document: Sendable {
    let envelope: Envelope
    let opening: OpenedClaim?
    let model: JSON?
    let log: InclusionEvidence?
    let keys: [LoggedEntry]
    /// A bare receipt rather than an evidence file.
    let isReceiptOnly: Bool
  }

  enum ModelResult: Sendable {
    case absent(SkipReason)
    case refuted(Refutation)
    case manifest(ModelManifest)
  }

  init(_ bytes: [UInt8], options: VerifierOptions) {
    self.options = options
    document = Evidence.read(bytes)
    guard case .success(let document) = document else {
      claimResult = nil
      modelResult = .absent(.fileUnreadable)
      (trust, finding) = (nil, nil)
      return
    }
    do throws(Rejection) {
      let claim = try Claim.parse(document.envelope.payload)
      claimResult = .success(claim)
      modelResult = Evidence.readModel(document, claim)
      let trust = LogTrust(policy: options.policy, promise: claim.promise)
      self.trust = trust
      finding = trust.flatMap { trust in
        document.log.map { LogFinding($0, of: document.envelope, promised: claim.promise?.log, under: trust) }
      }
    } catch {
      claimResult = .failure(error)
      modelResult = .absent(.statementUnreadable)
      (trust, finding) = (nil, nil)
    }
  }

  func readDocument() throws(SkipReason) -> Document {
    guard case .success(let document) = document else { throw .fileUnreadable }
    return document
  }

  /// What the statement is about, or says it is where it cannot be read: decides which checks there are.
  var kind: Claim.Kind {
    if let claim = try? claim() { return claim.kind }
    guard let payload = try? readDocument().envelope.payload,
      let json = try? JSON.parse(payload, bytesMax: EvidenceLimits.payloadBytesMax, depthMax: EvidenceLimits.depthMax)
    else { return .answer }
    return Claim.kind(of: json)
  }

  func claim() throws(SkipReason) -> Claim {
    guard let claimResult else { throw .fileUnreadable }
    guard case .success(let claim) = claimResult else { throw .statementUnreadable }
    return claim
  }

  func openedClaim() throws(SkipReason) -> OpenedClaim {
    guard let opening = try readDocument().opening else { throw .noOpening }
    return opening
  }

  /// The statement about an answer; checks of answers run for nothing else.
  func statement() throws(SkipReason) -> Statement {
    guard case .answer(let statement) = try claim() else { throw .otherKind }
    return statement
  }

  func embeddingStatement() throws(SkipReason) -> EmbeddingStatement {
    guard case .embedding(let statement) = try claim() else { throw .otherKind }
    return statement
  }

  func opening() throws(SkipReason) -> Opening {
    guard case .answer(let opening) = try openedClaim() else { throw .contradicted(.promptCommitment) }
    return opening
  }

  func embeddingOpening() throws(SkipReason) -> EmbeddingOpening {
    guard case .embedding(let opening) = try openedClaim() else { throw .contradicted(.promptCommitment) }
    return opening
  }

  /// The manifest that the statement names.
  func manifest() throws(SkipReason) -> ModelManifest {
    switch modelResult {
    case .absent(let reason): throw reason
    case .refuted: throw .modelManifestRefuted
    case .manifest(let manifest): return manifest
    }
  }

  func logProof() throws(SkipReason) -> InclusionEvidence {
    let promise = try claim().promise
    if let proof = try readDocument().log { return proof }
    guard let promise else { throw .nothingPromised }
    throw .pending(log: promise.log.name.description, until: promise.loggedBy)
  }

  func logTrust() throws(SkipReason) -> LogTrust {
    _ = try claim()
    guard let trust else { throw .noPolicy }
    return trust
  }

  func logFinding() throws(SkipReason) -> LogFinding {
    _ = try logProof()
    guard let finding else { throw .noPolicy }
    return finding
  }

  /// Seconds since 1970 of a time in a statement.
  func seconds(_ time: String) -> Int64 {
    guard let seconds = UTCTime.seconds(time) else { preconditionFailure("the form was checked") }
    return seconds
  }

  /// An evidence file or a bare receipt: the two can be told apart by their members.
  private static func read(_ bytes: [UInt8]) -> Result<Document, Rejection> {
    do throws(Rejection) {
      let json: JSON
      do {
        json = try JSON.parse(bytes, bytesMax: EvidenceLimits.fileBytesMax, depthMax: EvidenceLimits.depthMax)
      } catch { throw .notJSON(.file, error) }
      if json["schema"] == nil && json["payloadType"] != nil {
        let envelope = try Envelope.parse(bytes)
        return .success(Document(envelope: envelope, opening: nil, model: nil, log: nil, keys: [], isReceiptOnly: true))
      }
      let file: EvidenceFile
      do { file = try EvidenceFile(json) } catch { throw .field(.file, error) }
      return .success(
        Document(
          envelope: file.receipt, opening: file.opening, model: file.model, log: file.log, keys: file.keys,
          isReceiptOnly: false))
    } catch {
      return .failure(error)
    }
  }

  private static func readModel(_ document: Document, _ claim: Claim) -> ModelResult {
    guard let model = document.model else { return .absent(.noModelManifest) }
    // Reading the file has refused every number that canonical JSON cannot hold.
    guard let bytes = try? model.canonicalBytes() else { return .refuted(.modelManifestMalformed(.notCanonical)) }
    let digest = Digest<ModelManifest>(of: bytes)
    guard digest == claim.model.manifest else {
      return .refuted(.modelDigestMismatch(stated: claim.model.manifest, found: digest))
    }
    do { return .manifest(try ModelManifest(bytes: bytes)) } catch { return .refuted(.modelManifestMalformed(error)) }
  }
}
