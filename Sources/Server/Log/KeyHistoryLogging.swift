public import Logging
public import Node
import Receipts
public import ServiceLifecycle
import Transparency
public import TransparencyLog

/// Brings entries about the node's keys to the log, in their order, and their proofs back: into the folder, and into the
/// evidence files that the node makes from then on.
///
/// What is still to be done is what the folder has no proof for, after a death too.
public struct KeyHistoryLogging: Service {
  private let folder: KeyHistoryFolder
  private let log: any LogClient
  /// Of the log, where this process decides whose entries it takes.
  private let admission: Admission?
  private let node: Node
  private let logger: Logger
  /// Between two looks: while proofs are missing, and otherwise, for entries that `evident keys` makes meanwhile.
  private let pauses: ClosedRange<Duration>

  public init(
    folder: KeyHistoryFolder, log: any LogClient, admission: Admission?, node: Node, logger: Logger,
    pauses: ClosedRange<Duration> = .milliseconds(500)...(.seconds(10))
  ) {
    self.folder = folder
    self.log = log
    self.admission = admission
    self.node = node
    self.logger = logger
    self.pauses = pauses
  }

  public func run() async throws {
    var told = 0
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      var pause = pauses.upperBound
      do {
        let items = try folder.items()
        for item in items.dropFirst(told) { tell(item) }
        told = items.count
        if try await !bring(items) { pause = pauses.lowerBound }
      } catch {
        logger.warning("the node's key history cannot be logged now", metadata: ["reason": "\(error)"])
      }
      try? await cancelWhenGracefulShutdown { [pause] in try await Task.sleep(for: pause) }
    }
  }

  /// What became of the key that signs here, and who is at the terminal may not know.
  private func tell(_ item: KeyHistoryFolder.Item) {
    switch item.signed.entry {
    case .succession(let succession) where succession.from.hex == node.publicKeyHex:
      logger.warning("the node key was rotated; this server signs with the old one until it is started again")
    case .revocation(let revocation) where revocation.key.hex == node.publicKeyHex:
      logger.error(
        "the key that this server signs with is revoked",
        metadata: ["key": "\(revocation.key)", "from": "\(revocation.from)"])
    default: break
    }
  }

  /// - Returns: whether all of them are proved.
  private func bring(_ items: [KeyHistoryFolder.Item]) async throws -> Bool {
    let left = items.filter { $0.log == nil }
    // Keys that came while this was running belong to the node as well.
    if !left.isEmpty { admission?.add(try folder.keys()) }
    // An entry that is there already gets its first index.
    for item in left { _ = try await log.submit(item.signed.envelope.bytes) }
    var isDone = true
    for item in left {
      if case .logged(let proof) = try await log.proof(of: item.signed.envelope.leafHash) {
        try folder.keep(proof, of: item.number)
      } else {
        isDone = false
      }
    }
    if !left.isEmpty { node.keyHistory = try folder.logged() }
    return isDone
  }
}
