import CKernels
import ModelGraph

/// A linear weight in the order in which the kernels read it.
struct PackedLinear: @unchecked Sendable {
  // Sendable because what it points to is not written after packing.
  enum Format {
    case eight(ev_linear8)
    case four(ev_linear4)
  }

  let format: Format
  /// What a product adds to the exponent of its input.
  let exponentOfProduct: Int32
  let columns: Int
  let rows: Int

  /// Blocks of outputs: the unit in which threads share a product.
  var blocks: Int { PackedLinear.blocks(rows: rows) }
  /// Inputs as the kernels count them.
  var paddedColumns: Int { Int(ev_padded_in(Int32(columns))) }

  static func blocks(rows: Int) -> Int { Int(ev_padded_out(Int32(rows))) / Int(EV_BLOCK_OUTPUTS) }

  /// The products of `rows` activations with the outputs of `blocks`.
  ///
  /// - Parameters:
  ///   - planes: the first activation, as `prepare` of the same set leaves it.
  ///   - t: the first row of the results, `stride` elements before the next.
  @inline(__always)
  func multiply(
    _ kernels: UnsafePointer<ev_kernel_set>, planes: UnsafeMutableRawPointer, planeBytes: Int, rows: Int,
    blocks: Range<Int>, t: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    switch format {
    case .eight(var weight):
      kernels.pointee.linear8(
        &weight, planes, planeBytes, Int32(rows), Int32(blocks.lowerBound), Int32(blocks.upperBound), t, stride)
    case .four(var weight):
      kernels.pointee.linear4(
        &weight, planes, planeBytes, Int32(rows), Int32(blocks.lowerBound), Int32(blocks.upperBound), t, stride)
    }
  }
}

/// Rows of a weight that are packed as a weight of their own, and where its parts go in the arena.
///
/// The shifts are those of the whole weight: an expert computes as the stacked weight says.
struct PackingJob {
  private let weight: LinearWeight
  private let first: Int
  private let rows: Int
  private let packed: Int
  /// Row sums of linear8, offsets of linear4.
  private let sums: Int
  private let multiplier: Int

  /// - Parameter range: the rows to pack.
  init(_ weight: LinearWeight, rows range: Range<Int>, _ layout: inout ArenaLayout) {
    self.weight = weight
    first = range.lowerBound
    rows = range.count
    let out = Int(ev_padded_out(Int32(rows)))
    switch weight {
    case .eight(let w):
      packed = layout.reserve(out * Int(ev_padded_in(Int32(w.columns))), of: Int8.self)
      sums = layout.reserve(out, of: Int32.self)
    case .four(let w):
      packed = layout.reserve(
        ev_linear4_bytes(Int32(rows), Int32(w.columns), w.groupMinimums != nil), of: UInt8.self)
      sums = layout.reserve(out, of: Int64.self)
    }
    multiplier = layout.reserve(out, of: UInt32.self)
  }

  var blocks: Int { PackedLinear.blocks(rows: rows) }

  private var multipliers: UnsafeBufferPointer<UInt32> {
    switch weight {
    case .eight(let w): w.multipliers
    case .four(let w): w.multipliers
    }
  }

  func pack(blocks range: Range<Int>, in arena: Arena) {
    let (columns, begin, end) = (Int32(weight.columns), Int32(range.lowerBound), Int32(range.upperBound))
    switch weight {
    case .eight(let w):
      ev_pack_linear8(
        w.values.baseAddress! + first * w.columns, Int32(rows), columns, begin, end,
        arena.pointer(at: packed, to: Int8.self), arena.pointer(at: sums, to: Int32.self))
    case .four(let w):
      let groups = first * (w.columns / Linear4.groupSize)
      _ = ev_pack_linear4(
        w.values.baseAddress! + first * w.columns / 2, w.groupMultipliers.baseAddress! + groups,
        w.groupMinimums.map { $0.baseAddress! + groups }, Int32(rows), columns, begin, end,
        arena.pointer(at: packed, to: UInt8.self), arena.pointer(at: sums, to: Int64.self))
    }
    let outputs = Int(EV_BLOCK_OUTPUTS)
    let target = arena.pointer(at: multiplier, to: UInt32.self)
    for j in (range.lowerBound * outputs)..<min(range.upperBound * outputs, rows) {
      target[j] = multipliers[first + j]
    }
  }

  func linear(in arena: Arena) -> PackedLinear {
    let (columns, out) = (Int32(weight.columns), ev_padded_out(Int32(rows)))
    let format: PackedLinear.Format
    switch weight {
    case .eight(let w):
      format = .eight(
        ev_linear8(
          packed: arena.pointer(at: packed, to: Int8.self), row_sum: arena.pointer(at: sums, to: Int32.self),
          multiplier: arena.pointer(at: multiplier, to: UInt32.self), in: columns, in_padded: ev_padded_in(columns),
          out: Int32(rows), out_padded: out, shift: Int32(w.shift)))
    case .four(let w):
      format = .four(
        ev_linear4(
          packed: arena.pointer(at: packed, to: UInt8.self), offset: arena.pointer(at: sums, to: Int64.self),
          multiplier: arena.pointer(at: multiplier, to: UInt32.self), in: columns, in_padded: ev_padded_in(columns),
          out: Int32(rows), out_padded: out, shift1: Int32(w.shifts.s1), shift2: Int32(w.shifts.s2),
          minimums: w.groupMinimums != nil))
    }
    return PackedLinear(
      format: format, exponentOfProduct: Int32(weight.exponentOfProduct), columns: weight.columns, rows: rows)
  }
}
