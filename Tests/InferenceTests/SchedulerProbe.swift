import Dispatch
import Inference
import Synchronization

/// Sits in a scheduler's thread in place of drafts: holds it up at the first step that decodes until it is
/// opened, then notes the most bytes of keys and values that are in use between steps.
final class SchedulerProbe: Drafting {
  private let engine: Engine
  private let gate = DispatchSemaphore(value: 0)
  private let peak = Mutex(0)

  init(_ engine: Engine) { self.engine = engine }

  func open() { gate.signal() }

  var cacheBytesPeak: Int { peak.withLock { $0 } }

  func draft(after tokens: [Int32], count: Int) -> [Int32] {
    gate.wait()
    gate.signal()
    let now = engine.cacheBytesInUse
    peak.withLock { $0 = max($0, now) }
    return []
  }
}
