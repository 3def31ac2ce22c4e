/// Metrics as text.
///
/// Source: the Prometheus text exposition format, version 0.0.4.
struct PrometheusText {
  private(set) var text = ""

  mutating func family(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: Int)]) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
  }

  mutating func counter(_ name: String, _ help: String, _ value: Int) { family(name, "counter", help, [("", value)]) }
  mutating func gauge(_ name: String, _ help: String, _ value: Int) { family(name, "gauge", help, [("", value)]) }

  /// `{name="value"}`
  static func label(_ name: String, _ value: String) -> String {
    let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    return "{\(name)=\"\(escaped)\"}"
  }
}
