import Digests
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /v1/receipts/{receipt or response id}`: the evidence file while its opening is kept, the bare
/// receipt afterwards.
///
/// Receipt ids are 128 random bits: whoever knows one was given it. `?receipt=only` returns the
/// receipt, which reveals neither prompt nor answer.
struct EvidenceRoutes: Sendable {
  let store: ReceiptStore

  func add(to router: Router<BasicRequestContext>) {
    router.get("/v1/receipts/{id}") { request, context in
      let id = try context.parameters.require("id")
      guard id.utf8.count <= 128, let entry = try await store.find(id, now: Int64(Date().timeIntervalSince1970)) else {
        throw APIError(
          .notFound, "no receipt with the id '\(id.prefix(128))' is kept here", param: "id", code: "receipt_not_found")
      }
      let receiptOnly = request.uri.queryParameters["receipt"] == "only"
      if let evidence = entry.evidence, !receiptOnly {
        return Response.bytes(Array(evidence), fileName: "\(entry.receiptID).evidence.json")
      }
      return Response.bytes(Array(entry.envelope), fileName: "\(entry.receiptID).receipt.json")
    }
  }
}

extension Response {
  static func bytes(_ bytes: [UInt8], fileName: String) -> Response {
    Response(
      status: .ok,
      headers: [.contentType: "application/json", .contentDisposition: "inline; filename=\"\(fileName)\""],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
