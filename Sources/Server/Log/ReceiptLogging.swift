public import Logging
import Receipts
public import ServiceLifecycle
import Synchronization
import Transparency
public import TransparencyLog

/// Brings receipts that are kept to the log, and their proofs back.
///
/// The store says which are still to be brought: after a death, and after a log that was away, the same happens as
/// always.
public final class ReceiptLogging: Service {
  private let store: ReceiptStore
  private let log: any LogClient
  private let logger: Logger
  private let signals: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)
  /// Between two looks at a log that has not published yet, or that was away.
  private let pauses: ClosedRange<Duration>
  /// Receipts that are in hand at once.
  private static let receiptsMax = 512

  /// - Parameter pauses: the shortest and the longest.
  public init(
    store: ReceiptStore, log: any LogClient, logger: Logger,
    pauses: ClosedRange<Duration> = .milliseconds(100)...(.seconds(10))
  ) {
    self.store = store
    self.log = log
    self.logger = logger
    self.pauses = pauses
    signals = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// There is a receipt to be logged.
  public func wake() { signals.continuation.yield() }

  public func run() async throws {
    wake()
    try await store.retryRefused()
    /// Said once, however often it is tried.
    var trouble: String?
    for await _ in signals.stream.cancelOnGracefulShutdown() {
      var pause = pauses.lowerBound
      while !Task.isShuttingDownGracefully && !Task.isCancelled {
        let isDone: Bool
        do {
          let brought = try await bring()
          let (proved, left) = try await prove()
          if brought + proved > 0 { pause = pauses.lowerBound }
          let waiting = try await store.countToSubmit()
          isDone = left == 0 && waiting == 0
          if trouble != nil { logger.notice("receipts are logged again") }
          trouble = nil
        } catch {
          if trouble != "\(error)" {
            logger.warning("receipts cannot be logged now; it is tried again", metadata: ["reason": "\(error)"])
          }
          trouble = "\(error)"
          isDone = false
        }
        if isDone { break }
        try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
        pause = min(pause * 2, pauses.upperBound)
      }
    }
  }

  /// Submits what is not submitted.
  ///
  /// - Returns: how many have their place now.
  private func bring() async throws -> Int {
    let receipts = try await store.toSubmit(countMax: Self.receiptsMax)
    guard !receipts.isEmpty else { return 0 }
    let log = log
    var failure: (any Error)?
    var placed: [String] = []
    await withTaskGroup(of: (String, (any Error)?).self) { group in
      for receipt in receipts {
        group.addTask {
          do {
            _ = try await log.submit(Array(receipt.envelope))
            return (receipt.receiptID, nil)
          } catch { return (receipt.receiptID, error) }
        }
      }
      for await (id, error) in group {
        guard let error else {
          placed.append(id)
          continue
        }
        if let reason = ReceiptLogging.finalReason(error) {
          logger.error("the log refuses a receipt", metadata: ["receipt": "\(id)", "reason": "\(reason)"])
          try? await store.setRefused(id, reason: reason)
        } else {
          failure = error
        }
      }
    }
    try await store.setSubmitted(placed)
    if let failure { throw failure }
    return placed.count
  }

  /// Fetches the proofs that there are.
  ///
  /// - Returns: how many were fetched, and how many are still to be.
  private func prove() async throws -> (fetched: Int, left: Int) {
    let pending = try await store.toProve(countMax: Self.receiptsMax)
    guard !pending.isEmpty else { return (0, 0) }
    // One question for all of them.
    guard try await log.publishedSize() > 0 else { return (0, pending.count) }
    var proofs: [(receiptID: String, proof: [UInt8])] = []
    asking: for receipt in pending {
      switch try await log.proof(of: .leaf(receipt.envelope)) {
      case .logged(let evidence): proofs.append((receipt.receiptID, evidence.bytes))
      // Those after it are not published either.
      case .pending: break asking
      case .unknown:
        // A log that has lost what it had answered for; it gets it again.
        logger.error("the log does not know a receipt that it has taken", metadata: ["receipt": "\(receipt.receiptID)"])
        try await store.setToSubmit(receipt.receiptID)
      }
    }
    try await store.setProofs(proofs)
    return (proofs.count, pending.count - proofs.count)
  }

  /// - Returns: why trying again would not help; nil if it may.
  private static func finalReason(_ error: any Error) -> String? {
    switch error {
    case let refusal as EntryRefusal: return refusal.isFinal ? refusal.description : nil
    case RemoteLogFailure.refused(_, let status, _) where [400, 403, 413].contains(status): return "\(error)"
    default: return nil
    }
  }
}
