/// Memory for kernels, one piece per thread, and one that they share.
final class Scratch {
  let members: Int
  private let vectors: Arena
  private let vectorStride: Int
  private let experts: Arena
  private let expertStride: Int
  private var attentions: Arena
  private var attentionStride = 0
  private var shared: Arena

  init(members: Int, vectorBytes: Int, expertBytes: Int) throws(EngineFailure) {
    self.members = members
    vectorStride = Scratch.padded(vectorBytes)
    vectors = try Arena(byteCount: members * vectorStride)
    expertStride = Scratch.padded(expertBytes)
    experts = try Arena(byteCount: members * expertStride)
    attentions = try Arena(byteCount: 0)
    shared = try Arena(byteCount: 0)
  }

  func vector(_ member: Int) -> UnsafeMutableRawPointer { vectors.base + member * vectorStride }
  func expert(_ member: Int) -> UnsafeMutableRawPointer { experts.base + member * expertStride }
  func attention(_ member: Int) -> UnsafeMutableRawPointer { attentions.base + member * attentionStride }

  /// What all members read and write of one attention.
  var sharedAttention: UnsafeMutableRawPointer { shared.base }

  /// Grows by half at least, so that a growing context seldom asks for memory.
  func reserveAttention(bytes: Int, shared sharedBytes: Int) throws(EngineFailure) {
    if bytes > attentionStride {
      let stride = Scratch.padded(max(bytes, attentionStride + attentionStride / 2))
      attentions = try Arena(byteCount: members * stride)
      attentionStride = stride
    }
    if sharedBytes > shared.byteCount {
      shared = try Arena(byteCount: max(sharedBytes, shared.byteCount + shared.byteCount / 2))
    }
  }

  /// Threads do not share cache lines, nor the lines that are fetched with them.
  private static func padded(_ bytes: Int) -> Int { (bytes + 255) & ~255 }
}
