import Digests
import Foundation
public import Inference
public import ModelGraph
public import Receipts
import Synchronization
import Verification

/// One model behind one key: requests go in, signed answers come out.
///
/// Nothing about a node has to be believed; everything it claims is in the receipts it signs.
public final class Node: Sendable {
  public static let version = "0.1.0"
  static let software = "evident \(version)"

  public let model: ServedModel
  public let startedAt: Int
  let scheduler: Scheduler
  let signer: ReceiptSigner
  let promise: LogPromise?
  let keep: @Sendable (SignedEvidence) async throws -> Void
  let counters = Mutex(NodeMetrics())
  let embeddings: EmbeddingQueue
  private let history = Mutex<[LoggedEntry]>([])

  /// - Parameters:
  ///   - scheduling: how answers share the engine; changes no answer and no statement.
  ///   - promise: nil for a node whose statements are not logged.
  ///   - keep: stores a finished answer; the caller hears of the answer's end only after it returned.
  public init(
    model: ServedModel, key: NodeSigningKey, scheduling: SchedulerOptions, promise: LogPromise? = nil,
    keep: @escaping @Sendable (SignedEvidence) async throws -> Void
  ) throws {
    self.model = model
    scheduler = try Scheduler(engine: model.engine, options: scheduling)
    signer = ReceiptSigner(key: key)
    self.promise = promise
    self.keep = keep
    embeddings = EmbeddingQueue(engine: model.engine, requestsMax: scheduling.queueMax + 1)
    startedAt = Int(Date().timeIntervalSince1970)
  }

  public var metrics: NodeMetrics {
    var metrics = counters.withLock { $0 }
    let now = scheduler.metrics
    metrics.active = now.active
    metrics.queued = now.queued
    metrics.cacheBytes = now.cacheBytes
    metrics.prefixBytes = now.prefixBytes
    metrics.prefixTokensReused = now.prefixTokensReused
    metrics.prefixPagesEvicted = now.prefixPagesEvicted
    metrics.tokensDrafted = now.tokensDrafted
    metrics.tokensAccepted = now.tokensAccepted
    return metrics
  }

  /// Logged successions and revocations of the node's key, for its evidence files.
  public var keyHistory: [LoggedEntry] {
    get { history.withLock { $0 } }
    set { history.withLock { $0 = newValue } }
  }

  public var publicKey: NodePublicKey { signer.publicKey }
  public var publicKeyHex: String { signer.publicKey.hex }
  public var contextLength: Int { model.manifest.config.contextLength }

  /// Starts an answer.
  ///
  /// - Throws: ``AnswerRefusal`` before anything was computed.
  public func answer(_ request: AnswerRequest) throws(AnswerRefusal) -> RunningAnswer {
    guard !model.isEncoder else { throw .notADecoder }
    let now = Date()
    let time = Node.timestamp(now)
    let inputTokens: [Int32]
    do { inputTokens = try model.text.inputTokens(for: request.request, time: time) } catch {
      throw AnswerRefusal(error)
    }
    guard !inputTokens.isEmpty else { throw .emptyPrompt }
    guard inputTokens.count < contextLength else {
      throw .promptTooLong(tokens: inputTokens.count, contextLength: contextLength)
    }
    let vocabulary = model.manifest.config.vocabularySize
    if let bias = request.parameters.logitBias.first(where: { Int($0.token) >= vocabulary }) {
      throw .tokenOutsideVocabulary(bias.token, vocabularySize: vocabulary)
    }
    let parameters = request.parameters.limited(toTokens: contextLength - inputTokens.count)
    let nonce = Node.nonce(for: request, parameters)
    let draft = AnswerDraft(
      request: request, parameters: parameters, nonce: nonce, inputTokens: inputTokens, time: time,
      receiptID: "rcpt-" + Node.randomHex(16),
      responseID: (request.request.endpoint == .chatCompletions ? "chatcmpl-" : "cmpl-") + Node.randomHex(12))
    return try AnswerTask(node: self, draft: draft).start(created: Int(now.timeIntervalSince1970))
  }

  /// Ends what still runs, waits until its evidence is kept, and refuses everything new.
  public func shutdown() async {
    await scheduler.shutdown()
    while counters.withLock({ $0.unfinished }) > 0 { try? await Task.sleep(for: .milliseconds(5)) }
  }

  /// Who chooses the nonce is part of the statement (docs/spec/evidence.md, "Nonce").
  private static func nonce(for request: AnswerRequest, _ parameters: SamplingParameters) -> Statement.Nonce {
    if let nonce = request.nonce { return .init(source: .client, value: nonce) }
    if parameters.seed != nil || parameters.temperatureMicros == 0 { return .none }
    return .init(source: .node, value: randomBytes(32))
  }

  static func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  static func randomHex(_ count: Int) -> String { Hex.string(randomBytes(count)) }

  /// RFC 3339, UTC, to the second.
  static func timestamp(_ date: Date) -> String {
    date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false).timeZone(separator: .omitted))
  }
}

/// What a node counts.
public struct NodeMetrics: Sendable {
  public internal(set) var promptTokens = 0
  public internal(set) var outputTokens = 0
  public internal(set) var embeddings = 0
  public internal(set) var answersByReason: [String: Int] = [:]
  /// Spent on statements, signatures and keeping them.
  public internal(set) var evidenceMicroseconds = 0
  public internal(set) var active = 0
  public internal(set) var queued = 0
  /// Of ``SchedulerMetrics``, by the same names.
  public internal(set) var cacheBytes = 0
  public internal(set) var prefixBytes = 0
  public internal(set) var prefixTokensReused = 0
  public internal(set) var prefixPagesEvicted = 0
  public internal(set) var tokensDrafted = 0
  public internal(set) var tokensAccepted = 0
  /// Answers whose evidence is not yet kept.
  var unfinished = 0
}
