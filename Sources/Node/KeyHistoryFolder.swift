import Digests
import Foundation
import ModelFiles
public import Receipts
public import Transparency

/// The entries about a node's keys, in a folder: `0001.entry.json`, and beside it `0001.tlog-proof` once it is in a log.
///
/// Trust: whoever can modify the folder can withhold entries, but cannot make one: each is signed.
public struct KeyHistoryFolder: Sendable {
  public let path: String

  public init(path: String) { self.path = path }

  public struct Item: Sendable {
    /// From 1.
    public let number: Int
    public let signed: SignedEntry
    /// nil until a log has it.
    public let log: InclusionEvidence?
    /// The envelope, as a log takes it.
    public let entryPath: String
  }

  /// All entries, in the order in which they were made.
  ///
  /// - Throws: ``Failure`` when one cannot be read or is none: nothing is passed over.
  public func items() throws -> [Item] {
    guard try FileSystem.kind(of: path) != nil else { return [] }
    var items: [Item] = []
    for number in 1... {
      let entryPath = file(number, "entry.json")
      guard try FileSystem.kind(of: entryPath) != nil else { break }
      let bytes = try FileSystem.contents(of: entryPath, bytesMax: Statement.Promise.envelopeBytesMax)
      let signed: SignedEntry
      do { signed = try SignedEntry.parse(bytes) } catch { throw Failure(path: entryPath, reason: error.description) }
      let proofPath = file(number, "tlog-proof")
      var log: InclusionEvidence?
      if try FileSystem.kind(of: proofPath) != nil {
        let bytes = try FileSystem.contents(of: proofPath, bytesMax: InclusionEvidence.bytesMax)
        do { log = try InclusionEvidence(parsing: bytes) } catch {
          throw Failure(path: proofPath, reason: error.description)
        }
      }
      items.append(Item(number: number, signed: signed, log: log, entryPath: entryPath))
    }
    return items
  }

  /// Those that a log has, for evidence files: the newest ones where there are more than those may hold.
  public func logged() throws -> [LoggedEntry] {
    try items().compactMap { item in item.log.map { LoggedEntry(entry: item.signed.envelope, log: $0) } }
      .suffix(EvidenceLimits.keysMax)
  }

  /// Every key that the entries name.
  public func keys() throws -> Set<NodePublicKey> {
    var keys: Set<NodePublicKey> = []
    for item in try items() {
      switch item.signed.entry {
      case .claim: break
      case .succession(let succession): keys.formUnion([succession.from, succession.to])
      case .revocation(let revocation): keys.formUnion([revocation.key, revocation.signer])
      }
    }
    return keys
  }

  /// Keeps an entry durably, after those that are here; one that is here already stays where it is.
  ///
  /// - Returns: its place.
  public func add(_ signed: SignedEntry) throws -> Item {
    while true {
      let items = try items()
      if let same = items.first(where: { $0.signed == signed }) { return same }
      let number = items.count + 1
      let entryPath = file(number, "entry.json")
      // Where another process was faster, its entry stays and this one gets the next number.
      try create(entryPath, signed.envelope.bytes)
    }
  }

  /// Keeps the proof that entry `number` is in a log. A first proof stays.
  public func keep(_ log: InclusionEvidence, of number: Int) throws {
    try create(file(number, "tlog-proof"), log.bytes)
  }

  private func create(_ path: String, _ bytes: [UInt8]) throws {
    do throws(SecretFile.Failure) { try SecretFile.create(path, bytes) } catch {
      switch error {
      case .system(let operation, let reason): throw Failure(path: path, reason: "\(operation): \(reason)")
      case .exposed, .tooLong: preconditionFailure("only reading says so")
      }
    }
  }

  private func file(_ number: Int, _ suffix: String) -> String {
    let digits = String(number)
    return "\(path)/\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits).\(suffix)"
  }

  /// Why an entry cannot be read or kept.
  public struct Failure: Error, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String {
      "\(path) cannot be used: \(reason)\nhint: restore the file from a backup, or make room, and try again"
    }
  }
}
