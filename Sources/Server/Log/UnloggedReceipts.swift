import Digests
import GRDB
import Receipts

/// The receipts that promise a place in a log and have no proof of it yet.
struct UnloggedReceipts: Sendable, Equatable {
  let count: Int
  /// Of these, how many are not in the log although their time is over.
  let overdue: Int
  /// When the first promise ends, in seconds since 1970; nil without any.
  let firstEnd: Int64?

  /// For `/health`.
  var json: JSON {
    [
      "unlogged": .integer(count), "overdue": .integer(overdue),
      "firstPromiseEnds": firstEnd.map { .string(UTCTime.text($0)) } ?? .null,
    ]
  }
}

extension ReceiptStore {
  /// - Parameter now: seconds since 1970.
  func unlogged(now: Int64) async throws -> UnloggedReceipts {
    try await database.read { db in
      // The index has all that is not logged and nothing else; left to itself, SQLite reads the rows as well.
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT count(*) AS count, count(*) FILTER (WHERE promiseEnds < ?) AS overdue, min(promiseEnds) AS first
          FROM answer INDEXED BY answer_promised WHERE logState IN (1, 2, 4)
          """, arguments: [now])
      return UnloggedReceipts(count: row?["count"] ?? 0, overdue: row?["overdue"] ?? 0, firstEnd: row?["first"])
    }
  }
}

extension PrometheusText {
  mutating func add(_ receipts: UnloggedReceipts, now: Int64) {
    gauge("evident_receipts_unlogged", "Receipts that promise a place in a log and have no proof yet.", receipts.count)
    gauge(
      "evident_receipts_overdue", "Receipts that are not in the log although their time is over.", receipts.overdue)
    guard let end = receipts.firstEnd else { return }
    gauge(
      "evident_receipts_promise_seconds", "Seconds until the first promise of a receipt that is not logged ends.",
      Int(end - now))
  }
}
