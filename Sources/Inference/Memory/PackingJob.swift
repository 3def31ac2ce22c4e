import CKernels
import ModelGraph

/// One weight's source, or one expert's part of it, and where its packed parts go in the arena.
struct PackingJob {
  private enum Source {
    case eight(UnsafePointer<Int8>)
    case four(UnsafePointer<UInt8>, multipliers: UnsafePointer<UInt16>, minimums: UnsafePointer<UInt16>?)
    case sixteen(UnsafePointer<Int16>)
  }

  private let source: Source
  private let rows: Int
  private let columns: Int
  private let exponent: Int
  /// Of 4.3: s and 0 of a linear8, s1 and s2 of the others.
  private let shifts: (Int, Int)
  private let multipliers: UnsafePointer<UInt32>
  private let packedOffset: Int
  /// Row sums of a linear8, offsets of the others.
  private let sumsOffset: Int
  private let multipliersOffset: Int

  var blocks: Int { Int(ev_padded_out(Int32(rows))) / Int(EV_BLOCK_OUTPUTS) }

  /// - Parameters:
  ///   - expert: which of `experts` equal parts of the rows.
  ///   - layout: where room for the packed weight is reserved.
  init(_ weight: LinearWeight, expert: Int, of experts: Int, _ layout: inout ArenaLayout) {
    rows = weight.rows / experts
    columns = weight.columns
    exponent = weight.exponentOfProduct
    let first = expert * rows
    let paddedRows = Int(ev_padded_out(Int32(rows)))
    switch weight {
    case .eight(let w):
      source = .eight(PackingJob.base(w.values) + first * columns)
      multipliers = PackingJob.base(w.multipliers) + first
      shifts = (w.shift, 0)
      packedOffset = layout.reserve(paddedRows * Int(ev_padded_in(Int32(columns))), of: Int8.self)
      sumsOffset = layout.reserve(paddedRows, of: Int32.self)
    case .four(let w):
      let groups = first * columns / Linear4.groupSize
      let minimums = w.groupMinimums
      source = .four(
        PackingJob.base(w.values) + first * columns / 2, multipliers: PackingJob.base(w.groupMultipliers) + groups,
        minimums: minimums.map { PackingJob.base($0) + groups })
      multipliers = PackingJob.base(w.multipliers) + first
      shifts = (w.shifts.s1, w.shifts.s2)
      packedOffset = layout.reserve(ev_linear4_bytes(Int32(rows), Int32(columns), minimums != nil), of: UInt8.self)
      sumsOffset = layout.reserve(paddedRows, of: Int64.self)
    case .sixteen(let w):
      source = .sixteen(PackingJob.base(w.values) + first * columns)
      multipliers = PackingJob.base(w.multipliers) + first
      shifts = (w.shifts.s1, w.shifts.s2)
      packedOffset = layout.reserve(2 * paddedRows * Int(ev_padded_in(Int32(columns))), of: UInt8.self)
      sumsOffset = layout.reserve(paddedRows, of: Int64.self)
    }
    multipliersOffset = layout.reserve(paddedRows, of: UInt32.self)
  }

  private static func base<Element>(_ buffer: UnsafeBufferPointer<Element>) -> UnsafePointer<Element> {
    guard let base = buffer.baseAddress else { preconditionFailure("a checked weight has elements") }
    return base
  }

  /// The weight's own values, the largest part of what packing reads.
  var sourceBytes: UnsafeRawBufferPointer {
    switch source {
    case .eight(let values): UnsafeRawBufferPointer(start: values, count: rows * columns)
    case .four(let values, _, _): UnsafeRawBufferPointer(start: values, count: rows * columns / 2)
    case .sixteen(let values): UnsafeRawBufferPointer(start: values, count: 2 * rows * columns)
    }
  }

  func pack(blocks range: Range<Int>, in arena: Arena) {
    let (first, end) = (Int32(range.lowerBound), Int32(range.upperBound))
    switch source {
    case .eight(let values):
      ev_pack_linear8(
        values, Int32(rows), Int32(columns), first, end, arena.pointer(at: packedOffset, to: Int8.self),
        arena.pointer(at: sumsOffset, to: Int32.self))
    case .four(let values, let groupMultipliers, let groupMinimums):
      _ = ev_pack_linear4(
        values, groupMultipliers, groupMinimums, Int32(rows), Int32(columns), first, end,
        arena.pointer(at: packedOffset, to: UInt8.self), arena.pointer(at: sumsOffset, to: Int64.self))
    case .sixteen(let values):
      ev_pack_linear16(
        values, Int32(rows), Int32(columns), first, end, arena.pointer(at: packedOffset, to: Int8.self),
        arena.pointer(at: sumsOffset, to: Int64.self))
    }
    let outputs = Int(EV_BLOCK_OUTPUTS)
    let target = arena.pointer(at: multipliersOffset, to: UInt32.self)
    for j in (range.lowerBound * outputs)..<min(range.upperBound * outputs, rows) { target[j] = multipliers[j] }
  }

  func packed(in arena: Arena) -> PackedLinear {
    let multipliers = UnsafePointer(arena.pointer(at: multipliersOffset, to: UInt32.self))
    let (out, input) = (Int32(rows), Int32(columns))
    let format: PackedLinear.Format
    switch source {
    case .eight:
      format = .eight(
        ev_linear8(
          packed: arena.pointer(at: packedOffset, to: Int8.self),
          row_sum: arena.pointer(at: sumsOffset, to: Int32.self),
          multiplier: multipliers, in: input, in_padded: ev_padded_in(input), out: out,
          out_padded: ev_padded_out(out), shift: Int32(shifts.0)))
    case .four(_, _, let minimums):
      format = .four(
        ev_linear4(
          packed: arena.pointer(at: packedOffset, to: UInt8.self),
          offset: arena.pointer(at: sumsOffset, to: Int64.self),
          multiplier: multipliers, in: input, in_padded: ev_padded_in(input), out: out,
          out_padded: ev_padded_out(out), shift1: Int32(shifts.0), shift2: Int32(shifts.1), minimums: minimums != nil))
    case .sixteen:
      format = .sixteen(
        ev_linear16(
          packed: arena.pointer(at: packedOffset, to: Int8.self),
          offset: arena.pointer(at: sumsOffset, to: Int64.self),
          multiplier: multipliers, in: input, in_padded: ev_padded_in(input), out: out,
          out_padded: ev_padded_out(out), shift1: Int32(shifts.0), shift2: Int32(shifts.1)))
    }
    return PackedLinear(format: format, exponent: Int32(exponent), rows: rows, columns: columns)
  }
}
