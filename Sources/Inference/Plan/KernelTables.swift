import CKernels
import ModelGraph

/// Tables that kernels read, in the form in which they read them, at addresses that stay.
final class KernelTables: @unchecked Sendable {
  // Sendable because nothing is written after init, and the only instance lives as long as the process.
  static let shared = KernelTables()

  /// C of the specification.
  let cosine: UnsafePointer<Int32>
  /// H of the specification.
  let tanh: UnsafePointer<Int32>
  private let silu: UnsafePointer<UInt32>
  private let geluTanh: UnsafePointer<UInt32>
  private let gelu: UnsafePointer<UInt32>

  private init() {
    cosine = KernelTables.copy(Tables.cosine)
    tanh = KernelTables.copy(Tables.tanh)
    silu = KernelTables.pairs(Tables.sigmoid)
    geluTanh = KernelTables.pairs(Tables.normalTanh)
    gelu = KernelTables.pairs(Tables.normal)
  }

  func pairs(of activation: Activation) -> UnsafePointer<UInt32> {
    switch activation {
    case .silu: silu
    case .geluTanh: geluTanh
    case .gelu: gelu
    }
  }

  private static func copy(_ table: [Int32]) -> UnsafePointer<Int32> {
    let memory = UnsafeMutablePointer<Int32>.allocate(capacity: table.count)
    memory.initialize(from: table, count: table.count)
    return UnsafePointer(memory)
  }

  private static func pairs(_ table: [Int32]) -> UnsafePointer<UInt32> {
    let memory = UnsafeMutablePointer<UInt32>.allocate(capacity: table.count - 1)
    ev_pack_activation(table, memory)
    return UnsafePointer(memory)
  }
}
