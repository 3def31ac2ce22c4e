import Digests
import Foundation
import LogReading
import Receipts
import Server

/// What the operator's own node has signed: the standard by which an entry in its name is judged.
actor OwnReceipts {
  private enum Place {
    case store(ReceiptStore)
    case folder(String)
    case server(HTTPSource)
  }

  private let place: Place
  /// Of the envelopes in the folder.
  private var digests: Set<Digest<Envelope>> = []

  init(_ text: String) throws {
    if text.contains("://") {
      place = .server(try HTTPSource(text))
      return
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: text, isDirectory: &isFolder) else {
      throw CommandFailure(
        "there are no receipts at \(text)", hint: "give receipts.sqlite, a folder of receipts, or the node's address")
    }
    place = isFolder.boolValue ? .folder(text) : .store(try ReceiptStore(path: text))
  }

  /// Whether exactly this envelope is among them.
  func contains(_ signed: SignedEntry) async throws -> Bool {
    let bytes = signed.envelope.bytes
    switch place {
    case .store(let store):
      guard case .claim(let claim) = signed.entry else { return false }
      return try await store.find(claim.receiptID, now: 0).map { Array($0.envelope) == bytes } ?? false
    case .server(let server):
      // No node of ours gives out other ones, and what a server says to them is not "not found".
      guard case .claim(let claim) = signed.entry, (1...64).contains(claim.receiptID.utf8.count),
        claim.receiptID.utf8.allSatisfy(OwnReceipts.isPlain)
      else { return false }
      let path = "v1/receipts/\(claim.receiptID)?receipt=only"
      return try await server.read(path, bytesMax: EvidenceLimits.fileBytesMax) == bytes
    case .folder(let folder):
      let digest = Digest<Envelope>(of: bytes)
      // What is new since the last look may be what is asked for.
      if !digests.contains(digest) { readFolder(folder) }
      return digests.contains(digest)
    }
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
