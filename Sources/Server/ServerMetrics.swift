import Node
import Synchronization

/// Counters of the HTTP side, and the Prometheus text of everything.
///
/// Source: the Prometheus text exposition format, version 0.0.4.
final class ServerMetrics: Sendable {
  private let responses = Mutex<[Int: Int]>([:])

  func countResponse(status: Int) { responses.withLock { $0[status, default: 0] += 1 } }

  func prometheusText(_ node: NodeMetrics) -> String {
    var text = ""
    func family(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: Int)]) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
      for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
    }
    let byStatus = responses.withLock { $0.sorted { $0.key < $1.key } }
    family(
      "evident_http_responses_total", "counter", "HTTP responses by status.",
      byStatus.map { ("{status=\"\($0.key)\"}", $0.value) })
    family("evident_prompt_tokens_total", "counter", "Prompt tokens evaluated.", [("", node.promptTokens)])
    family("evident_output_tokens_total", "counter", "Tokens generated.", [("", node.outputTokens)])
    family("evident_embeddings_total", "counter", "Embeddings computed.", [("", node.embeddings)])
    family(
      "evident_answers_total", "counter", "Answers finished, by reason.",
      node.answersByReason.sorted { $0.key < $1.key }.map { ("{reason=\"\($0.key)\"}", $0.value) })
    family(
      "evident_evidence_microseconds_total", "counter", "Time spent on making, signing and keeping evidence.",
      [("", node.evidenceMicroseconds)])
    family("evident_requests_active", "gauge", "Requests being answered.", [("", node.active)])
    family("evident_requests_queued", "gauge", "Requests waiting.", [("", node.queued)])
    return text
  }
}
