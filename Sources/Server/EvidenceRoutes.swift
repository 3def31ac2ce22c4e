import Digests
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Node
import Receipts
import Transparency
import TransparencyLog

/// `GET /v1/receipts/{receipt or response id}`: the evidence file while its opening is kept, the bare
/// receipt afterwards; the header `Evident-Log` says what is known of it at the log.
///
/// Receipt ids are 128 random bits: whoever knows one was given it. `?receipt=only` returns the
/// receipt, which reveals neither prompt nor answer.
struct EvidenceRoutes: Sendable {
  let store: ReceiptStore
  let log: (any LogClient)?
  let node: Node

  func add(to router: Router<BasicRequestContext>) {
    router.get("/v1/receipts/{id}") { request, context in
      let id = try context.parameters.require("id")
      guard id.utf8.count <= 128, let entry = try await store.find(id, now: Int64(Date().timeIntervalSince1970)) else {
        throw APIError(
          .notFound, "no receipt with the id '\(id.prefix(128))' is kept here", param: "id", code: "receipt_not_found")
      }
      let status = try await status(of: entry)
      var response: Response
      if let evidence = entry.evidence, request.uri.queryParameters["receipt"] != "only" {
        response = Response.bytes(
          try status.upgraded(Array(evidence), keys: node.keyHistory), fileName: "\(entry.receiptID).evidence.json")
      } else {
        response = Response.bytes(Array(entry.envelope), fileName: "\(entry.receiptID).receipt.json")
      }
      response.headers[.evidentLog] = status.header
      return response
    }
  }

  /// What is known of a receipt at the log.
  private enum Status {
    case none
    case pending(reason: String)
    /// With the `tlog-proof`.
    case logged([UInt8])

    /// The evidence file with the proof in it, and with what the log has of the node's keys by now.
    func upgraded(_ evidence: [UInt8], keys: [LoggedEntry]) throws -> [UInt8] {
      if case .logged = self {} else if keys.isEmpty { return evidence }
      var file = try EvidenceFile.parse(evidence)
      if case .logged(let proof) = self { file.log = try InclusionEvidence(parsing: proof) }
      // A key that the history does not name has another one.
      if file.keys.allSatisfy(keys.contains), try keys.contains(where: { try $0.names(file.receipt.keyID) }) {
        file.keys = keys
      }
      return try file.bytes()
    }

    var header: String {
      switch self {
      case .none: "none"
      case .logged: "logged"
      case .pending(let reason):
        // A quoted string of a header: printable ASCII without its own marks.
        "pending; reason=\"\(String(reason.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0.value != 0x7F ? Character($0) : "'" }))\""
      }
    }
  }

  /// Asks the log for what the store does not have yet.
  private func status(of entry: ReceiptStore.Entry) async throws -> Status {
    switch entry.logState {
    case .none: return .none
    case .logged: return .logged(Array(entry.logProof ?? Data()))
    case .refused: return .pending(reason: "the log refuses it: \(entry.logReason ?? "")")
    case .toSubmit, .submitted: break
    }
    guard let log else { return .pending(reason: "this server runs without a log") }
    do {
      switch try await log.proof(of: .leaf(entry.envelope)) {
      case .logged(let evidence):
        try await store.setProofs([(entry.receiptID, evidence.bytes)])
        return .logged(evidence.bytes)
      case .pending(_, let reason): return .pending(reason: reason)
      case .unknown: return .pending(reason: "it has not been sequenced")
      }
    } catch { return .pending(reason: "the log does not answer: \(error)") }
  }
}

extension LoggedEntry {
  /// Whether this is about that key.
  fileprivate func names(_ key: Digest<NodePublicKey>) throws -> Bool {
    switch try SignedEntry.parse(entry.bytes).entry {
    case .claim: false
    case .succession(let succession): [succession.from.id, succession.to.id].contains(key)
    case .revocation(let revocation): [revocation.key.id, revocation.signer.id].contains(key)
    }
  }
}

extension HTTPField.Name {
  static let evidentLog = HTTPField.Name("Evident-Log")!
}

extension Response {
  static func bytes(_ bytes: [UInt8], fileName: String) -> Response {
    Response(
      status: .ok,
      headers: [.contentType: "application/json", .contentDisposition: "inline; filename=\"\(fileName)\""],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
