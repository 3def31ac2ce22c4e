public import Receipts
public import Transparency

/// A receipt that a node has promised to log.
public struct PromisedReceipt: Sendable {
  public let name: String
  public let receipt: SignedReceipt
  /// The checkpoint that came with it.
  let signed: SignedCheckpoint?
  let promise: Statement.Promise
  /// The key of the log.
  public var log: NoteVerifierKey { promise.log }
  let loggedBy: Int64

  /// - Parameter bytes: a receipt, or an evidence file with one.
  /// - Throws: ``MonitorFailure`` if it is not signed by its node, or promises nothing.
  public init(name: String, _ bytes: [UInt8]) throws {
    func refused(_ reason: String) -> MonitorFailure {
      MonitorFailure(
        reason: "\(name): \(reason)", remedy: "give receipts or evidence files of nodes that promise to log")
    }
    let envelope: Envelope
    var signed: SignedCheckpoint?
    do throws(Rejection) { envelope = try Envelope.parse(bytes) } catch {
      guard let file = try? EvidenceFile.parse(bytes) else { throw refused("it is no receipt: \(error)") }
      envelope = file.receipt
      signed = file.log?.signed
    }
    do throws(Rejection) { receipt = try SignedReceipt(envelope) } catch { throw refused("it is no receipt: \(error)") }
    guard envelope.isSigned(by: receipt.claim.node.publicKey) else { throw refused("its signature is wrong") }
    guard let promise = receipt.claim.promise, let loggedBy = UTCTime.seconds(promise.loggedBy) else {
      throw refused("it promises nothing")
    }
    self.name = name
    // What another log has signed is not this one's to answer for.
    self.signed = signed.flatMap { (try? $0.verified(by: [promise.log])) == nil ? nil : $0 }
    self.promise = promise
    self.loggedBy = loggedBy
  }
}

extension LogMonitor {
  /// Whether the promises that are due have been kept, by the verified state.
  ///
  /// Reads the hashes of all entries, 32 bytes each, which must add up to the verified root.
  ///
  /// - Parameter receipts: those that are found are removed.
  /// - Parameter now: seconds since 1970.
  public func checkPromises(_ receipts: inout [PromisedReceipt], now: Int64) async throws -> Round {
    var round = Round()
    guard let state else { return round }
    let origin = state.checkpoint.origin
    for item in receipts where item.promise.log.name == origin {
      guard let signed = item.signed else { continue }
      let compared = await compare(signed, from: item.name)
      round.alarms += compared.alarms
      round.failures += compared.failures
      round.notes += compared.notes
    }
    let due = receipts.filter { $0.loggedBy < now && $0.promise.log.name == origin }
    guard !due.isEmpty else { return round }
    var missing = Set(due.map { $0.receipt.envelope.leafHash })
    var range = CompactRange()
    let size = state.checkpoint.size
    while range.size < size, let path = TilePath(.hashes(level: 0), index: range.size / 256, in: size) {
      try Task.checkCancellation()
      do {
        for hash in try await reader.tile(path).hashes {
          missing.remove(hash)
          range.append(hash)
        }
      } catch {
        round.failures.append("\(place): \(LogFinding(path.description, error))")
        return round
      }
    }
    guard range.root == state.checkpoint.root else {
      round.alarms.append(
        MonitorAlarm(
          .damaged, place, "the tiles of level 0 do not add up to the root", [("known", state.signed.bytes)]))
      return round
    }
    for item in due where missing.contains(item.receipt.envelope.leafHash) {
      if let why = tooOld(state.signed, for: item) {
        round.failures.append(
          "\(place): the receipt \(item.receipt.claim.receiptID), promised by \(item.promise.loggedBy), is not there yet; "
            + why)
        continue
      }
      round.alarms.append(
        MonitorAlarm(
          .brokenPromise, place,
          "the receipt \(item.receipt.claim.receiptID) was promised to be in \(origin) by \(item.promise.loggedBy), and "
            + "is not among its \(size) entries", [("receipt", item.receipt.bytes), ("known", state.signed.bytes)]))
    }
    receipts.removeAll { item in
      item.loggedBy < now && item.promise.log.name == origin && !missing.contains(item.receipt.envelope.leafHash)
    }
    return round
  }

  /// Why a checkpoint does not show that a receipt is missing; nil if it does. The same as for evidence:
  /// docs/spec/evidence.md, section 9.
  private func tooOld(_ signed: SignedCheckpoint, for item: PromisedReceipt) -> String? {
    if let known = item.signed, known.checkpoint.size > signed.checkpoint.size {
      return "this is an older copy of the log than the one that \(item.name) was proven in"
    }
    guard policy.asksForWitnesses else { return nil }
    guard let verdict = try? policy.evaluate(signed), case .reached(let time) = verdict.quorum else {
      return "not enough witnesses say of when the checkpoint is"
    }
    if Int64(clamping: time) - 3600 > item.loggedBy { return nil }
    return
      "the witnesses' checkpoint is of \(UTCTime.text(Int64(clamping: time))), not an hour after that: an old copy, or "
      + "nothing was logged since"
  }
}
