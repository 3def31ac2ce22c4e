import Transparency
import TransparencyLog

extension PrometheusText {
  mutating func add(_ log: LogService<some LogStorage>) {
    let (metrics, view) = (log.metrics, log.view)
    gauge("evident_log_entries", "Entries that are durable.", Int(metrics.size))
    gauge(
      "evident_log_published_entries", "Entries of the published checkpoint.",
      Int(view.published?.checkpoint.size ?? 0))
    gauge("evident_log_publishing_waits", "1 while a checkpoint lacks cosignatures.", view.reason == nil ? 0 : 1)
    gauge("evident_log_stopped", "1 while a failed write keeps entries out.", log.refusal == nil ? 0 : 1)
    gauge("evident_log_waiting", "Entries that wait for their batch.", metrics.waiting)
    counter("evident_log_batches_total", "Batches written.", metrics.batches)
    counter("evident_log_duplicates_total", "Entries that were in the log already.", metrics.duplicates)
    counter("evident_log_refused_total", "Entries that were not taken.", metrics.refused)
    counter("evident_log_failures_total", "Failed writes.", metrics.failures)
    guard !view.witnesses.isEmpty else { return }
    family(
      "evident_log_witness_entries", "gauge", "Entries of the last checkpoint that a witness cosigned since the start.",
      view.witnesses.map { (PrometheusText.label("witness", $0.name.description), Int($0.size)) })
    family(
      "evident_log_witness_up", "gauge", "Whether a witness did what it was last asked for.",
      view.witnesses.map { (PrometheusText.label("witness", $0.name.description), $0.failure == nil ? 1 : 0) })
  }
}
