import Synchronization
import Transparency

/// Counters of a witness as Prometheus text.
///
/// Source: the Prometheus text exposition format, version 0.0.4.
final class WitnessMetrics: Sendable {
  private let answers = Mutex<[Int: Int]>([:])

  private let failing = Atomic<Bool>(false)

  /// Whether the last attempt to cosign has failed here: no request was at fault.
  var isFailing: Bool { failing.load(ordering: .relaxed) }

  func countAnswer(status: Int) {
    answers.withLock { $0[status, default: 0] += 1 }
    if status == 200 || status == 500 { failing.store(status == 500, ordering: .relaxed) }
  }

  /// - Parameter sizes: of the last cosigned checkpoint of each log.
  func prometheusText(_ sizes: [(origin: ByteText, size: UInt64)]) -> String {
    var text = """
      # HELP evident_witness_answers_total Answers to add-checkpoint by HTTP status; 200 are cosignatures.
      # TYPE evident_witness_answers_total counter

      """
    for (status, count) in answers.withLock({ $0.sorted { $0.key < $1.key } }) {
      text += "evident_witness_answers_total{status=\"\(status)\"} \(count)\n"
    }
    text += """
      # HELP evident_witness_log_size Entries of a log in the last cosigned checkpoint.
      # TYPE evident_witness_log_size gauge

      """
    for (origin, size) in sizes {
      text += "evident_witness_log_size{log=\"\(WitnessMetrics.label(origin))\"} \(size)\n"
    }
    return text
  }

  private static func label(_ origin: ByteText) -> String {
    origin.description.reduce(into: "") { out, c in
      if c == "\\" || c == "\"" { out.append("\\") }
      out.append(c)
    }
  }
}
