import CKernels
import ModelGraph

/// Tables that kernels read, in the form in which they read them. They live as long as the process.
struct KernelTables: @unchecked Sendable {
  // Sendable because nothing is written after init.
  /// Σ of each activation as pairs of neighbours. Shape: 4096 each.
  private let pairs: [Activation: UnsafePointer<UInt32>]
  /// H of the specification. Shape: 4097.
  let tanh: UnsafePointer<Int32>
  /// C of the specification.
  private let cosine: [Int32]

  static let shared = KernelTables()

  private init() {
    cosine = Tables.cosine
    tanh = KernelTables.kept(Tables.tanh)
    pairs = Dictionary(
      uniqueKeysWithValues: Activation.allCases.map { activation in
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 4096)
        ev_pack_activation(Tables.table(of: activation), table)
        return (activation, UnsafePointer(table))
      })
  }

  private static func kept(_ table: [Int32]) -> UnsafePointer<Int32> {
    let memory = UnsafeMutablePointer<Int32>.allocate(capacity: table.count)
    memory.initialize(from: table, count: table.count)
    return UnsafePointer(memory)
  }

  func pairs(_ activation: Activation) -> UnsafePointer<UInt32> {
    guard let table = pairs[activation] else { preconditionFailure("every activation has a table") }
    return table
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

/// Where the cosines and sines of a chunk's positions lie, for one set of frequencies.
struct RotationTable {
  let frequencies: [UInt64]
  /// Shape: rows × 2 × frequencies: cosines, then sines, of each row's position.
  let angles: UnsafeMutablePointer<Int32>

  func angles(_ row: Int) -> UnsafeMutablePointer<Int32> { angles + row * 2 * frequencies.count }
}
