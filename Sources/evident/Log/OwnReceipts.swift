import Digests
import Foundation
import LogReading
import Node
import Receipts
import Server

/// What the operator's own node has signed: the standard by which an entry in its name is judged.
actor OwnReceipts {
  private enum Place {
    /// Receipts, and beside them what was signed about the node's keys.
    case store(ReceiptStore, KeyHistoryFolder, path: String)
    case folder(String)
    /// Answers for receipts only.
    case server(HTTPSource)
  }

  private let places: [Place]
  /// Of the envelopes in folders.
  private var digests: Set<Digest<Envelope>> = []

  init(_ texts: [String]) throws { places = try texts.map(OwnReceipts.place) }

  private static func place(_ text: String) throws -> Place {
    if text.contains("://") { return .server(try HTTPSource(text)) }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: text, isDirectory: &isFolder) else {
      throw CommandFailure(
        "there are no receipts at \(text)",
        hint: "give the node's state folder, its receipts.sqlite, a folder of receipts, or the node's address")
    }
    var store = text
    if isFolder.boolValue {
      store = text + "/receipts.sqlite"
      guard FileManager.default.fileExists(atPath: store) else { return .folder(text) }
    }
    let folder = URL(filePath: store).deletingLastPathComponent().path
    return .store(try ReceiptStore(path: store), KeyHistoryFolder(path: folder + "/key-history"), path: store)
  }

  /// Whether exactly this envelope is in one of the places.
  ///
  /// - Throws: ``LogReadError`` if one of them cannot be asked, and it is in no other.
  func contains(_ signed: SignedEntry) async throws(LogReadError) -> Bool {
    var failure: LogReadError?
    for place in places {
      do throws(LogReadError) {
        if try await OwnReceipts.contains(signed, place) ?? isInFolder(signed, place) { return true }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return false
  }

  /// - Returns: nil for a folder.
  private static func contains(_ signed: SignedEntry, _ place: Place) async throws(LogReadError) -> Bool? {
    let bytes = signed.envelope.bytes
    switch place {
    case .store(let store, let history, let path):
      do {
        guard case .claim(let claim) = signed.entry else { return try history.items().contains { $0.signed == signed } }
        return try await store.find(claim.receiptID, now: 0).map { Array($0.envelope) == bytes } ?? false
      } catch { throw .failed(place: path, reason: "\(error)") }
    case .server(let server):
      // No node of ours gives out other ones, and what a server says to them is not "not found".
      guard case .claim(let claim) = signed.entry, (1...64).contains(claim.receiptID.utf8.count),
        claim.receiptID.utf8.allSatisfy(OwnReceipts.isPlain)
      else { return false }
      let path = "v1/receipts/\(claim.receiptID)?receipt=only"
      do { return try await server.read(path, bytesMax: EvidenceLimits.fileBytesMax) == bytes } catch {
        throw error as? LogReadError ?? .failed(place: server.place, reason: "\(error)")
      }
    case .folder: return nil
    }
  }

  private func isInFolder(_ signed: SignedEntry, _ place: Place) -> Bool {
    guard case .folder(let folder) = place else { return false }
    let digest = Digest<Envelope>(of: signed.envelope.bytes)
    // What is new since the last look may be what is asked for.
    if !digests.contains(digest) {
      for path in [folder, folder + "/key-history"] { readFolder(path) }
    }
    return digests.contains(digest)
  }

  private static func isPlain(_ c: UInt8) -> Bool {
    (0x30...0x39).contains(c) || (0x41...0x5A).contains(c) || (0x61...0x7A).contains(c) || c == 0x2D || c == 0x5F
  }

  private func readFolder(_ folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasSuffix(".json") {
      guard let handle = FileHandle(forReadingAtPath: folder + "/" + name),
        let data = try? handle.read(upToCount: EvidenceLimits.fileBytesMax + 1)
      else { continue }
      let bytes = Array(data)
      let envelope = (try? Envelope.parse(bytes)) ?? (try? EvidenceFile.parse(bytes))?.receipt
      if let envelope { digests.insert(Digest(of: envelope.bytes)) }
    }
  }
}
