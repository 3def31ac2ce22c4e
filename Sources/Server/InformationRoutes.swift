import Digests
import Foundation
import HTTPTypes
import Hummingbird
import Node
import Transparency
import TransparencyLog

/// `GET /v1/models`, `/v1/models/{id}`, `/health`, `/metrics`.
struct InformationRoutes: Sendable {
  let node: Node
  let metrics: ServerMetrics
  let store: ReceiptStore
  let log: ServedLog

  func add(to router: Router<BasicRequestContext>) {
    router.get("/v1/models") { _, _ in
      Response.json(["object": "list", "data": [model]])
    }
    router.get("/v1/models/{id}") { _, context in
      let id = try context.parameters.require("id")
      guard id == node.model.name || id == node.model.digestText else {
        throw APIError.modelNotFound(String(id.prefix(200)), known: [node.model.name])
      }
      return Response.json(model)
    }
    router.get("/health") { _, _ in
      var health = JSONObject()
      health["status"] = "ok"
      health["model"] = .string(node.model.name)
      health["version"] = .string(Node.version)
      if let key = log.client?.key {
        health["log"] = .string(key.description)
        health["receipts"] = try await store.unlogged(now: now).json
      }
      if let log = log.embedded { health.add(log) }
      return Response.json(.object(health))
    }
    router.get("/metrics") { _, _ in
      var text = PrometheusText()
      metrics.add(to: &text)
      ServerMetrics.add(node.metrics, to: &text)
      if log.client != nil { text.add(try await store.unlogged(now: now), now: now) }
      if let log = log.embedded { text.add(log) }
      return Response.metrics(text)
    }
  }

  /// Seconds since 1970.
  private var now: Int64 { Int64(Date().timeIntervalSince1970) }

  private var model: JSON {
    [
      "id": .string(node.model.name), "object": "model", "created": .integer(node.startedAt), "owned_by": "evident",
      "digest": .string(node.model.digestText), "context_length": .integer(node.contextLength),
      "node_key": .string(node.publicKeyHex),
    ]
  }
}
