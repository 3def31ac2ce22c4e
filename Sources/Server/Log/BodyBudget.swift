import Hummingbird
import NIOCore
import NIOPosix
import Synchronization

/// Bytes of large answers that may be under way at once: whoever asks for many of them, and does not read what comes,
/// gets no more of the server's memory.
final class BodyBudget: Sendable {
  private static let partBytes = 256 << 10
  private let left: Mutex<Int>

  init(bytesMax: Int) { left = Mutex(bytesMax) }

  /// - Returns: what is given back when nobody holds it any more; nil if there is not enough left.
  func claim(_ bytes: Int) -> Claim? {
    let isGranted = left.withLock { left in
      guard left >= bytes else { return false }
      left -= bytes
      return true
    }
    return isGranted ? Claim(self, bytes) : nil
  }

  final class Claim: Sendable {
    private let budget: BodyBudget
    private let bytes: Int

    fileprivate init(_ budget: BodyBudget, _ bytes: Int) {
      self.budget = budget
      self.bytes = bytes
    }

    /// Writes a body, and holds this until it is on its way.
    ///
    /// A part waits while the client does not read those before it. The connection knows that only when its event loop
    /// has had its turn; without that the whole body would be taken at once.
    func write(_ body: ByteBuffer, to writer: inout any ResponseBodyWriter) async throws {
      var left = body
      while let part = left.readSlice(length: min(left.readableBytes, BodyBudget.partBytes)), part.readableBytes > 0 {
        try await writer.write(part)
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
      }
      try await writer.finish(nil)
      withExtendedLifetime(self) {}
    }

    deinit { budget.left.withLock { $0 += bytes } }
  }
}
