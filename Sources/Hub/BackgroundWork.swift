import Dispatch
import Synchronization

/// Runs work that blocks, such as hashing a large file, beside the tasks that move bytes.
enum BackgroundWork {
  /// - Parameter body: is told when the waiting task has been cancelled.
  static func run<T: Sendable>(_ body: @escaping @Sendable (_ isCancelled: () -> Bool) throws -> T) async throws -> T {
    let flag = Flag()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
          continuation.resume(with: Result { try body { flag.isSet } })
        }
      }
    } onCancel: {
      flag.set()
    }
  }

  private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
  }
}
