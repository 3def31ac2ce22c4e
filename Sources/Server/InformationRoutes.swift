import Digests
import HTTPTypes
import Hummingbird
import Node
import TransparencyLog

/// `GET /v1/models`, `/v1/models/{id}`, `/health`, `/metrics`.
struct InformationRoutes: Sendable {
  let node: Node
  let metrics: ServerMetrics
  let log: LogService<POSIXStorage>?

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
      Response.json(["status": "ok", "model": .string(node.model.name), "version": .string(Node.version)])
    }
    router.get("/metrics") { _, _ in
      var text = PrometheusText()
      metrics.add(to: &text)
      ServerMetrics.add(node.metrics, to: &text)
      if let log { text.add(log) }
      return Response.metrics(text)
    }
  }

  private var model: JSON {
    [
      "id": .string(node.model.name), "object": "model", "created": .integer(node.startedAt), "owned_by": "evident",
      "digest": .string(node.model.digestText), "context_length": .integer(node.contextLength),
      "node_key": .string(node.publicKeyHex),
    ]
  }
}
