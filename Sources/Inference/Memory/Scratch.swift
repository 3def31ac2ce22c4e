/// Memory for kernels, one piece per thread.
final class Scratch {
  private let members: Int
  private let vectors: Arena
  private let vectorStride: Int
  private let experts: Arena
  private let expertStride: Int
  private var attentions: Arena
  private var attentionStride = 0

  init(members: Int, vectorBytes: Int, expertBytes: Int) throws(EngineFailure) {
    self.members = members
    vectorStride = Scratch.padded(vectorBytes)
    vectors = try Arena(byteCount: members * vectorStride)
    expertStride = Scratch.padded(expertBytes)
    experts = try Arena(byteCount: members * expertStride)
    attentions = try Arena(byteCount: 0)
  }

  func vector(_ member: Int) -> UnsafeMutableRawPointer { vectors.base + member * vectorStride }
  func expert(_ member: Int) -> UnsafeMutableRawPointer { experts.base + member * expertStride }
  func attention(_ member: Int) -> UnsafeMutableRawPointer { attentions.base + member * attentionStride }

  /// Grows by half at least, so that a growing context seldom asks for memory.
  func reserveAttention(bytes: Int) throws(EngineFailure) {
    guard bytes > attentionStride else { return }
    let stride = Scratch.padded(max(bytes, attentionStride + attentionStride / 2))
    attentions = try Arena(byteCount: members * stride)
    attentionStride = stride
  }

  /// Threads do not share cache lines, nor the lines that are fetched with them.
  private static func padded(_ bytes: Int) -> Int { (bytes + 255) & ~255 }
}
