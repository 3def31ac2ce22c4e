import Digests
import Foundation
import LogReading
import TransparencyLog

/// Alarms that the webhook has not taken yet, in files of their own, in the order in which they are to be posted.
///
/// A file is durable before ``add(_:_:_:)`` returns, and goes when the webhook has taken it; whoever is killed in between
/// posts it twice. The place is bounded for each kind of alarm, so that many bad entries do not keep out the one fork.
struct MonitorOutbox {
  struct Item: Equatable {
    var number: UInt64
    let kind: String
    let id: String
    let byteCount: Int

    /// In its folder.
    var name: String {
      let digits = String(number)
      return "\(String(repeating: "0", count: 20 - digits.utf8.count))\(digits)-\(kind)-\(id).json"
    }
  }

  /// Of each kind.
  static let itemsMax = 1000
  static let bytesMax = 8 << 20
  private static let folder = "outbox"
  private let storage: POSIXStorage
  private(set) var items: [Item]

  init(_ storage: POSIXStorage) {
    self.storage = storage
    let path = storage.root + "/" + MonitorOutbox.folder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    items = names.compactMap { name in
      let parts = name.dropLast(5).split(separator: "-")
      guard name.hasSuffix(".json"), parts.count == 3, let number = UInt64(parts[0]), number < 1 << 63,
        let size = try? FileManager.default.attributesOfItem(atPath: path + "/" + name)[.size] as? Int
      else { return nil }
      let item = Item(number: number, kind: String(parts[1]), id: String(parts[2]), byteCount: size)
      return item.name == name ? item : nil
    }.sorted { $0.number < $1.number }
  }

  /// Keeps what is to be posted about an alarm; one that waits already is not kept twice.
  ///
  /// - Returns: false if there is no room.
  mutating func add(_ kind: String, _ id: String, _ body: JSON) throws(StorageFailure) -> Bool {
    guard !items.contains(where: { $0.kind == kind && $0.id == id }) else { return true }
    let bytes = Array(body.text().utf8)
    let same = items.filter { $0.kind == kind }
    guard same.count < MonitorOutbox.itemsMax,
      same.reduce(bytes.count, { $0 + $1.byteCount }) <= MonitorOutbox.bytesMax
    else { return false }
    try write(kind, id, bytes)
    return true
  }

  /// Keeps, once, that there are more alarms of a kind than there is room for.
  mutating func addMore(_ kind: String, _ body: JSON) throws(StorageFailure) {
    guard !items.contains(where: { $0.kind == kind && $0.id == "more" }) else { return }
    try write(kind, "more", Array(body.text().utf8))
  }

  private mutating func write(_ kind: String, _ id: String, _ bytes: [UInt8]) throws(StorageFailure) {
    let item = Item(number: (items.last?.number ?? 0) + 1, kind: kind, id: id, byteCount: bytes.count)
    try storage.write([StoredFile(path: "\(MonitorOutbox.folder)/\(item.name)", bytes: bytes)])
    items.append(item)
  }

  /// - Returns: nil if somebody has taken the file away.
  func body(_ item: Item) throws(StorageFailure) -> [UInt8]? {
    try storage.read("\(MonitorOutbox.folder)/\(item.name)")
  }

  /// The webhook has it.
  mutating func remove(_ item: Item) {
    // A file that stays is posted again.
    try? FileManager.default.removeItem(atPath: path(item))
    items.removeAll { $0 == item }
  }

  /// Behind the others: what a webhook never takes must not keep back the rest.
  mutating func postpone(_ item: Item) {
    guard let at = items.firstIndex(of: item), let last = items.last, last != item else { return }
    var moved = item
    moved.number = last.number + 1
    do { try FileManager.default.moveItem(atPath: path(item), toPath: path(moved)) } catch { return }
    items.remove(at: at)
    items.append(moved)
  }

  private func path(_ item: Item) -> String { "\(storage.root)/\(MonitorOutbox.folder)/\(item.name)" }
}
