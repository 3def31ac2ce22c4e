import Digests
import Transparency
import TransparencyLog

extension JSONObject {
  /// Whether a log takes entries and publishes them, for `/health`.
  mutating func add(_ log: LogService<some LogStorage>) {
    if log.refusal != nil { self["status"] = "failing" }
    self["log"] = .string(log.key.description)
    self["taking"] = log.refusal.map { .string($0) } ?? "ok"
    self["publishing"] = log.view.reason.map { .string($0) } ?? "ok"
  }
}
