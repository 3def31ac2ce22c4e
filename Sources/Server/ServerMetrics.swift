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
    family("evident_prompt_tokens_total", "counter", "Prompt tokens of answers.", [("", node.promptTokens)])
    family("evident_draft_tokens_total", "counter", "Tokens guessed ahead.", [("", node.tokensDrafted)])
    family(
      "evident_draft_tokens_accepted_total", "counter", "Tokens guessed ahead that were right.",
      [("", node.tokensAccepted)])
    family(
      "evident_prefix_tokens_reused_total", "counter", "Prompt tokens that earlier requests had computed.",
      [("", node.prefixTokensReused)])
    family(
      "evident_prefix_pages_evicted_total", "counter", "Kept pages of keys and values that were forgotten for others.",
      [("", node.prefixPagesEvicted)])
    family(
      "evident_prefix_bytes", "gauge", "Keys and values kept for prompts that begin alike.", [("", node.prefixBytes)])
    family("evident_cache_bytes", "gauge", "Keys and values, all of them.", [("", node.cacheBytes)])
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
