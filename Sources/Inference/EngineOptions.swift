/// How an engine uses the machine. Nothing here changes a result.
public struct EngineOptions: Sendable, Equatable {
  /// Threads that compute, the caller's included.
  public var threads: Int
  public var kernels: KernelChoice
  /// The most positions that go through the model together; bounds memory.
  public var prefillChunk: Int

  /// Below so many multiplications a chunk stays on the caller's thread: some tens of microseconds. Tests
  /// set 0 to have threads share everything.
  package var multiplicationsToShare = 6 << 20

  public static let threadsMax = 256
  public static let prefillChunkMax = 4096
  public static let prefillChunkDefault = 256

  /// - Parameter threads: nil for as many as the processors that this process may use.
  public init(
    threads: Int? = nil, kernels: KernelChoice = .automatic, prefillChunk: Int = EngineOptions.prefillChunkDefault
  ) {
    self.threads = threads ?? min(EngineThread.processorCount, EngineOptions.threadsMax)
    self.kernels = kernels
    self.prefillChunk = prefillChunk
  }
}

/// Why an engine cannot start: not the model's fault.
public enum EngineFailure: Error, Equatable, Sendable, CustomStringConvertible {
  case kernelsNotAvailable(String, available: [String])
  case threadsOutOfRange(Int, max: Int)
  case prefillChunkOutOfRange(Int, max: Int)
  case threadNotStarted(reason: String)
  case memoryNotAvailable(bytes: Int)

  public var description: String {
    switch self {
    case .kernelsNotAvailable(let name, let available):
      "this machine cannot run kernels \"\(name)\"; it can run: \(available.joined(separator: ", "))"
    case .threadsOutOfRange(let threads, let max): "\(threads) threads were asked for; use 1 to \(max)"
    case .prefillChunkOutOfRange(let chunk, let max): "a prefill chunk of \(chunk) was asked for; use 1 to \(max)"
    case .threadNotStarted(let reason):
      "a thread could not be started: \(reason); use fewer threads or raise the process limit (ulimit -u)"
    case .memoryNotAvailable(let bytes):
      "\(bytes) bytes of memory are not available; use a smaller model or free memory"
    }
  }
}
