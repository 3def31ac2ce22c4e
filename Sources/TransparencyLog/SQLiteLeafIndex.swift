import Foundation
import GRDB
import Synchronization
public import Transparency

/// An index in one SQLite file, whose memory does not grow with the log.
///
/// A file that is damaged is replaced by an empty one, when it is opened or when the damage is met, and the tiles fill it
/// again as soon as the log opens itself again; losing the last writes at a
/// loss of power is allowed for the same reason. Trust: whoever can modify it can make an entry be logged twice.
public final class SQLiteLeafIndex: LeafIndex {
  private let path: String
  // Nil when a new one could not be opened.
  private let database: Mutex<DatabasePool?>

  public init(path: String) throws(StorageFailure) {
    self.path = path
    do {
      let opened: DatabasePool
      do { opened = try SQLiteLeafIndex.open(path) } catch let error as DatabaseError where error.isDamage {
        opened = try SQLiteLeafIndex.begin(path)
      }
      database = Mutex(opened)
    } catch { throw SQLiteLeafIndex.failure("open", path, error) }
  }

  /// An empty one in place of whatever is there.
  private static func begin(_ path: String) throws -> DatabasePool {
    for suffix in ["", "-wal", "-shm"] { POSIXStorage.unlinkIfThere(path + suffix) }
    return try open(path)
  }

  private static func open(_ path: String) throws -> DatabasePool {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { db in
      // KiB of pages that each connection keeps in memory.
      try db.execute(sql: "PRAGMA cache_size = -8192")
    }
    // A pool: proofs are looked up while a batch is written. It keeps a write-ahead log that is synchronised now and
    // then.
    configuration.maximumReaderCount = 2
    let database = try DatabasePool(path: path, configuration: configuration)
    var migrator = DatabaseMigrator()
    migrator.registerMigration("leaves") { db in
      // Two leaves may share their first 8 bytes, by chance or because someone has looked for such two.
      try db.execute(
        sql: """
          CREATE TABLE leaf (prefix INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (prefix, place)) WITHOUT ROWID;
          CREATE TABLE covered (id INTEGER PRIMARY KEY CHECK (id = 0), size INTEGER NOT NULL, root BLOB NOT NULL);
          """)
    }
    try migrator.migrate(database)
    return database
  }

  public func state() throws(StorageFailure) -> LeafIndexState {
    try performing("read") { database in
      try database.read { db in
        guard let row = try Row.fetchOne(db, sql: "SELECT size, root FROM covered"),
          let size = UInt64(exactly: row[0] as Int64), let root = MerkleHash(bytes: row[1] as Data)
        else { return .empty }
        return LeafIndexState(size: size, root: root)
      }
    }
  }

  public func candidates(for leaves: [MerkleHash]) throws(StorageFailure) -> [[UInt64]] {
    try performing("read") { database in
      try database.read { db in
        let statement = try db.cachedStatement(sql: "SELECT place FROM leaf WHERE prefix = ? ORDER BY place")
        return try leaves.map { leaf in
          try Int64.fetchAll(statement, arguments: [leaf.prefix]).compactMap { UInt64(exactly: $0) }
        }
      }
    }
  }

  public func add(_ leaves: [MerkleHash], covering state: LeafIndexState) throws(StorageFailure) {
    try performing("write") { database in
      try database.write { db in
        let first = Int64(state.size) - Int64(leaves.count)
        let statement = try db.cachedStatement(sql: "INSERT OR REPLACE INTO leaf VALUES (?, ?)")
        // In the order of the tree's pages each page is written once.
        let rows = leaves.enumerated().map { ($0.element.prefix, first + Int64($0.offset)) }.sorted { $0 < $1 }
        for row in rows { try statement.execute(arguments: [row.0, row.1]) }
        try db.execute(
          sql: "INSERT OR REPLACE INTO covered VALUES (0, ?, ?)",
          arguments: [Int64(state.size), Data(state.root.bytes)])
      }
    }
  }

  public func removeAll() throws(StorageFailure) {
    try performing("write") { database in
      try database.write { db in try db.execute(sql: "DELETE FROM leaf; DELETE FROM covered") }
    }
  }

  private func performing<T>(_ action: String, _ body: (DatabasePool) throws -> T) throws(StorageFailure) -> T {
    do { return try body(current()) } catch {
      if [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains((error as? DatabaseError)?.resultCode) { replace() }
      throw SQLiteLeafIndex.failure(action, path, error)
    }
  }

  private func current() throws -> DatabasePool {
    try database.withLock { database in
      if let database { return database }
      let begun = try SQLiteLeafIndex.begin(path)
      database = begun
      return begun
    }
  }

  /// Takes the damaged file away. It is closed first: closing removes files by their names.
  private func replace() {
    database.withLock { database in
      guard (try? database?.close()) != nil else { return }
      database = try? SQLiteLeafIndex.begin(path)
    }
  }

  private static func failure(_ action: String, _ path: String, _ error: any Error) -> StorageFailure {
    StorageFailure(action: action, path: path, reason: (error as? DatabaseError)?.message ?? "\(error)")
  }
}

extension DatabaseError {
  fileprivate var isDamage: Bool {
    resultCode == .SQLITE_CORRUPT || resultCode == .SQLITE_NOTADB || resultCode == .SQLITE_ERROR
  }
}
