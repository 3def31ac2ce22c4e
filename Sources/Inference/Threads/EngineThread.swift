import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A thread of the operating system, outside Swift's cooperative pool: it may spin and block.
final class EngineThread: @unchecked Sendable {
  // Sendable because the handle never changes.
  private final class Start {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let handle: pthread_t

  /// - Throws: ``EngineFailure/threadNotStarted(reason:)`` when the operating system refuses.
  init(_ body: @escaping @Sendable () -> Void) throws(EngineFailure) {
    let start = Unmanaged.passRetained(Start(body))
    #if canImport(Darwin)
      var thread: pthread_t?
      let code = pthread_create(&thread, nil, { run($0) }, start.toOpaque())
    #else
      var thread = pthread_t()
      let code = pthread_create(&thread, nil, { run($0) }, start.toOpaque())
    #endif
    guard code == 0 else {
      start.release()
      throw .threadNotStarted(reason: String(cString: strerror(code)))
    }
    #if canImport(Darwin)
      handle = thread!
    #else
      handle = thread
    #endif
  }

  /// A thread that nobody waits for.
  convenience init(detached body: @escaping @Sendable () -> Void) throws(EngineFailure) {
    try self.init(body)
    pthread_detach(handle)
  }

  /// Waits until the body has returned. To be called once.
  func join() { pthread_join(handle, nil) }

  /// The processors that this process may use.
  static var processorCount: Int {
    Int(ev_processor_count())
  }

  private static func start(_ argument: UnsafeMutableRawPointer) {
    Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
  }

  fileprivate static func entry(_ argument: UnsafeMutableRawPointer?) {
    if let argument { start(argument) }
  }
}

private func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  EngineThread.entry(argument)
  return nil
}
