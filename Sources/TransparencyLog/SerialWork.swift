import Dispatch

/// Work that waits for the disk, one piece after the other, on a thread of its own: Swift's own threads are as many
/// as there are processors, and none of them should stand still.
struct SerialWork: Sendable {
  private let queue: DispatchQueue

  init(_ name: String) { queue = DispatchQueue(label: name) }

  /// For work on a log, whose failures have a type.
  func result<T: Sendable>(_ body: @escaping @Sendable () throws(LogFailure) -> T) async -> Result<T, LogFailure> {
    await withCheckedContinuation { continuation in
      queue.async {
        do throws(LogFailure) { continuation.resume(returning: .success(try body())) } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
  }

  func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result(catching: body)) }
    }
  }
}
