import Foundation
public import GRDB
import Receipts

/// Which receipts are still to be logged, and the proofs of the others.
extension ReceiptStore {
  /// What has become of a receipt at the log.
  public enum LogState: Int, Codable, Sendable, DatabaseValueConvertible {
    /// It promises nothing.
    case none = 0
    case toSubmit = 1
    /// It has its place and no proof yet.
    case submitted = 2
    case logged = 3
    /// The log will not take it, and said why.
    case refused = 4
  }

  static func migrate(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("log") { db in
      try db.alter(table: Entry.databaseTableName) { t in
        t.add(column: "logState", .integer).notNull().defaults(to: 0)
        t.add(column: "logProof", .blob)
        t.add(column: "logReason", .text)
      }
      // What is done is not in it: it stays small however many receipts there are.
      try db.execute(sql: "CREATE INDEX answer_unlogged ON answer (logState) WHERE logState IN (1, 2, 4)")
    }
    migrator.registerMigration("promises") { db in
      try db.alter(table: Entry.databaseTableName) { t in t.add(column: "promiseEnds", .integer) }
      let unlogged = try Row.fetchAll(db, sql: "SELECT receiptID, envelope FROM answer WHERE logState IN (1, 2, 4)")
      for row in unlogged {
        let claim = (try? Envelope.parse(Array(row["envelope"] as Data))).flatMap { try? Claim.parse($0.payload) }
        let arguments: StatementArguments = [claim?.promise.flatMap { UTCTime.seconds($0.loggedBy) }, row["receiptID"]]
        try db.execute(sql: "UPDATE answer SET promiseEnds = ? WHERE receiptID = ?", arguments: arguments)
      }
      // Both columns, so that nobody needs the rows.
      try db.execute(sql: "CREATE INDEX answer_promised ON answer (promiseEnds, logState) WHERE logState IN (1, 2, 4)")
    }
  }

  func toSubmit(countMax: Int) async throws -> [Entry] { try await entries(.toSubmit, countMax) }

  func toProve(countMax: Int) async throws -> [Entry] { try await entries(.submitted, countMax) }

  func countToSubmit() async throws -> Int { try await count(.toSubmit) }

  /// How many receipts are in a state, other than none and logged.
  public func count(_ state: LogState) async throws -> Int {
    try await database.read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM answer WHERE logState = \(state.rawValue)") ?? 0
    }
  }

  func setSubmitted(_ ids: [String]) async throws { try await set(.submitted, ids.map { ($0, nil, nil) }) }

  func setToSubmit(_ id: String) async throws { try await set(.toSubmit, [(id, nil, nil)]) }

  func setRefused(_ id: String, reason: String) async throws { try await set(.refused, [(id, nil, reason)]) }

  func setProofs(_ proofs: [(receiptID: String, proof: [UInt8])]) async throws {
    try await set(.logged, proofs.map { ($0.receiptID, Data($0.proof), nil) })
  }

  /// Makes receipts that a log had refused wait again: its operator may have admitted the node.
  func retryRefused() async throws {
    try await database.write { db in try db.execute(sql: "UPDATE answer SET logState = 1 WHERE logState = 4") }
  }

  private func entries(_ state: LogState, _ countMax: Int) async throws -> [Entry] {
    // The state is written out so that SQLite sees that the index is of use.
    try await database.read { db in
      try Entry.fetchAll(
        db,
        sql: """
          SELECT receiptID, responseID, envelope, NULL AS evidence, NULL AS evidenceExpires, promiseEnds, logState,
            logProof, logReason
          FROM answer WHERE logState = \(state.rawValue) ORDER BY rowid LIMIT \(countMax)
          """)
    }
  }

  private func set(_ state: LogState, _ rows: [(id: String, proof: Data?, reason: String?)]) async throws {
    guard !rows.isEmpty else { return }
    try await database.write { db in
      for row in rows {
        try db.execute(
          sql: "UPDATE answer SET logState = ?, logProof = ?, logReason = ? WHERE receiptID = ? AND logState != 3",
          arguments: [state, row.proof, row.reason, row.id])
      }
    }
  }
}
