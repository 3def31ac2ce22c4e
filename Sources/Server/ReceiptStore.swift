public import Foundation
public import GRDB
public import Node
import Receipts

/// Receipts, and openings for as long as they are kept, in one SQLite file.
///
/// Trust: whoever can modify the file can lose receipts or serve stale ones, but cannot forge one: a
/// receipt is signed and its reader checks that. Whoever can read it can read the openings still kept.
public struct ReceiptStore: Sendable {
  let database: DatabaseQueue

  /// One kept answer.
  public struct Entry: Codable, FetchableRecord, PersistableRecord, Sendable, Equatable {
    public static let databaseTableName = "answer"
    public var receiptID: String
    public var responseID: String
    /// The DSSE envelope.
    public var envelope: Data
    /// The complete evidence file, opening included; nil once it is no longer kept.
    public var evidence: Data?
    /// Seconds since 1970 after which the evidence is deleted; nil when there is none.
    public var evidenceExpires: Int64?
    /// Seconds since 1970 by which it promises to be in the log; nil when it promises nothing.
    public var promiseEnds: Int64?
    public var logState: LogState
    /// The `tlog-proof`.
    public var logProof: Data?
    /// Why the log has refused it.
    public var logReason: String?

    public init(
      receiptID: String, responseID: String, envelope: Data, evidence: Data?, evidenceExpires: Int64?,
      promiseEnds: Int64? = nil, logState: LogState = .none, logProof: Data? = nil
    ) {
      self.receiptID = receiptID
      self.responseID = responseID
      self.envelope = envelope
      self.evidence = evidence
      self.evidenceExpires = evidenceExpires
      self.promiseEnds = promiseEnds
      self.logState = logState
      self.logProof = logProof
    }
  }

  /// Opens or creates the store. A process killed at any instant leaves a store that opens.
  ///
  /// - Throws: ``Failure``.
  public init(path: String) throws {
    do { database = try ReceiptStore.open(path) } catch let error as DatabaseError {
      throw Failure(path: path, reason: error.message ?? error.resultCode.description)
    }
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL")
      // A receipt is durable before the client hears of it.
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA secure_delete = ON")
    }
    let database = try DatabaseQueue(path: path, configuration: configuration)
    var migrator = DatabaseMigrator()
    migrator.registerMigration("answers") { db in
      try db.create(table: Entry.databaseTableName) { t in
        t.primaryKey("receiptID", .text)
        t.column("responseID", .text).notNull().unique()
        t.column("envelope", .blob).notNull()
        t.column("evidence", .blob)
        t.column("evidenceExpires", .integer).indexed()
      }
    }
    ReceiptStore.migrate(&migrator)
    try migrator.migrate(database)
    return database
  }

  /// Why the file cannot be opened, and what to do.
  public struct Failure: Error, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String {
      "the receipts in \(path) cannot be opened: \(reason)\nhint: check the disk and the folder's permissions, or keep "
        + "the state elsewhere with EVIDENT_STATE"
    }
  }

  /// Durable when it returns.
  public func save(_ entry: Entry) async throws {
    try await database.write { db in try entry.insert(db) }
  }

  /// - Parameters:
  ///   - id: a receipt id or a response id.
  ///   - now: seconds since 1970; evidence whose time is over is not given out, deleted yet or not.
  public func find(_ id: String, now: Int64) async throws -> Entry? {
    var entry = try await database.read { db in
      try Entry.filter(Column("receiptID") == id || Column("responseID") == id).fetchOne(db)
    }
    if let expires = entry?.evidenceExpires, expires <= now {
      entry?.evidence = nil
      entry?.evidenceExpires = nil
    }
    return entry
  }

  /// Deletes evidence whose time is over; receipts stay.
  ///
  /// - Returns: how many openings were deleted.
  @discardableResult
  public func purge(now: Int64) async throws -> Int {
    try await database.write { db in
      try db.execute(
        sql: "UPDATE answer SET evidence = NULL, evidenceExpires = NULL WHERE evidenceExpires <= ?", arguments: [now])
      return db.changesCount
    }
  }

  public func count() async throws -> Int { try await database.read { db in try Entry.fetchCount(db) } }

  public func close() throws { try database.close() }
}

extension ReceiptStore {
  /// Keeps what was signed: the receipt for good, the whole evidence for as long as openings are kept.
  ///
  /// - Parameter logs: whether the receipt is to be logged.
  public func keep(_ signed: SignedEvidence, retainSeconds: Int, logs: Bool) async throws {
    let claim = signed.receipt.claim
    let expires = Int64(Date().timeIntervalSince1970) + Int64(retainSeconds)
    try await save(
      Entry(
        receiptID: claim.receiptID, responseID: claim.responseID, envelope: Data(signed.receipt.bytes),
        evidence: retainSeconds > 0 ? Data(signed.evidence) : nil,
        evidenceExpires: retainSeconds > 0 ? expires : nil,
        promiseEnds: claim.promise.flatMap { UTCTime.seconds($0.loggedBy) }, logState: logs ? .toSubmit : .none))
  }
}
