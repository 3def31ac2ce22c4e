import Node
import Synchronization

/// Counters of the HTTP side, and the node's.
final class ServerMetrics: Sendable {
  private let responses = Mutex<[Int: Int]>([:])

  func countResponse(status: Int) { responses.withLock { $0[status, default: 0] += 1 } }

  func add(to text: inout PrometheusText) {
    let byStatus = responses.withLock { $0.sorted { $0.key < $1.key } }
    text.family(
      "evident_http_responses_total", "counter", "HTTP responses by status.",
      byStatus.map { ("{status=\"\($0.key)\"}", $0.value) })
  }

  static func add(_ node: NodeMetrics, to text: inout PrometheusText) {
    text.family("evident_prompt_tokens_total", "counter", "Prompt tokens of answers.", [("", node.promptTokens)])
    text.family("evident_draft_tokens_total", "counter", "Tokens guessed ahead.", [("", node.tokensDrafted)])
    text.family(
      "evident_draft_tokens_accepted_total", "counter", "Tokens guessed ahead that were right.",
      [("", node.tokensAccepted)])
    text.family(
      "evident_prefix_tokens_reused_total", "counter", "Prompt tokens that earlier requests had computed.",
      [("", node.prefixTokensReused)])
    text.family(
      "evident_prefix_pages_evicted_total", "counter", "Kept pages of keys and values that were forgotten for others.",
      [("", node.prefixPagesEvicted)])
    text.family(
      "evident_prefix_bytes", "gauge", "Keys and values kept for prompts that begin alike.", [("", node.prefixBytes)])
    text.family("evident_cache_bytes", "gauge", "Keys and values, all of them.", [("", node.cacheBytes)])
    text.family("evident_output_tokens_total", "counter", "Tokens generated.", [("", node.outputTokens)])
    text.family("evident_embeddings_total", "counter", "Embeddings computed.", [("", node.embeddings)])
    text.family(
      "evident_answers_total", "counter", "Answers finished, by reason.",
      node.answersByReason.sorted { $0.key < $1.key }.map { ("{reason=\"\($0.key)\"}", $0.value) })
    text.family(
      "evident_evidence_microseconds_total", "counter", "Time spent on making, signing and keeping evidence.",
      [("", node.evidenceMicroseconds)])
    text.family("evident_requests_active", "gauge", "Requests being answered.", [("", node.active)])
    text.family("evident_requests_queued", "gauge", "Requests waiting.", [("", node.queued)])
  }
}
