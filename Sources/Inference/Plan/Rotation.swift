import CKernels
import ModelGraph

/// Tables that kernels read, in the form in which they read them.
struct KernelTables: Sendable {
  let sigmaPairs: [UInt32]
  /// C of the specification.
  let cosine: [Int32]

  static let shared = KernelTables()

  private init() {
    cosine = Tables.cosine
    sigmaPairs = [UInt32](unsafeUninitializedCapacity: 4096) { pairs, count in
      ev_pack_sigma(Tables.sigmoid, pairs.baseAddress)
      count = 4096
    }
  }

  /// Cosines and sines of one position, for every pair of channels.
  ///
  /// - Parameter out: shape 2 × frequencies.
  /// Source: docs/spec/arithmetic.md, section 4.4.
  func rotation(position: Int, frequencies: [UInt64], into out: UnsafeMutablePointer<Int32>) {
    for (i, frequency) in frequencies.enumerated() {
      let phase = UInt64(position) &* frequency
      let index = Int((phase &+ (1 << 47)) >> 48)
      out[i] = cosine[index]
      out[frequencies.count + i] = cosine[(index &- 16384) & 65535]
    }
  }
}
