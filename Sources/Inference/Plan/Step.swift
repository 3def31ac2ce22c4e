import CKernels

/// A part of the plan between two barriers.
enum Step {
  /// Operators that need one row only, applied one after another to each row.
  case rows(Range<Int>)
  /// Products that read values of earlier steps.
  case linear(Range<Int>)
  case experts([ExpertOperation])
  case expertSum(ExpertOperation)
  case attention(AttentionOperation)
  /// The last product, for the rows whose logits are wanted.
  case logits(LinearOperation, cap: SoftcapOperation?)
}

/// An operator on one row, with everything it reads resolved to addresses.
struct RowOperation {
  enum Body {
    /// Cosines and sines of the row's position.
    case angles
    /// The scale is 1 without one; the exponent counts its fractional bits.
    case embedTable(Table, exponent: Int32, scale: UInt32)
    case embedLinear(ev_linear8, exponent: Int32, scale: UInt32)
    case embedPosition(Table, exponent: Int32)
    case rmsNorm(ValueBuffer, gain: Vector)
    case layerNorm(ValueBuffer, gain: Vector, bias: Vector)
    case quantise(ValueBuffer)
    case addBias(ValueBuffer, bias: Vector)
    case normHeads(ValueBuffer, heads: Int32, gain: Vector, epsilon: Int64)
    case rope(ValueBuffer, heads: Int32, RotationTable)
    case quantiseHeads(ValueBuffer, limit: Int32)
    /// Appends a position to a key-value cache.
    case store(keys: ValueBuffer, values: ValueBuffer, cache: Int)
    case mergeHeads(ValueBuffer)
    case gated(gate: ValueBuffer, up: ValueBuffer, pairs: UnsafePointer<UInt32>)
    case activate(ValueBuffer, pairs: UnsafePointer<UInt32>)
    case add(ValueBuffer, ValueBuffer)
    case addResiduals(ValueBuffer, ValueBuffer)
    case route(ValueBuffer, sharesOfAll: Bool)
  }

  /// A table16 with a multiplier per row.
  struct Table {
    let values: UnsafePointer<Int16>
    let multipliers: UnsafePointer<UInt32>
  }

  /// A gain or a bias.
  struct Vector {
    let values: UnsafePointer<Int32>
    let exponent: Int32
  }

  let body: Body
  let out: ValueBuffer
  /// The node whose value this yields; nil where it is not a node.
  let node: Int?
}

struct LinearOperation {
  let weight: PackedLinear
  let input: ValueBuffer
  let out: ValueBuffer
  let node: Int
}

/// A product of the experts that each row chose.
struct ExpertOperation {
  /// By id.
  let experts: [PackedLinear]
  let input: ValueBuffer
  let routes: ValueBuffer
  let out: ValueBuffer
  /// Shape: rows × slots × outputs; where the results of the slots go. Of an expertLinear its own value.
  let products: ValueBuffer
  let node: Int
}

struct SoftcapOperation {
  let cap: Int32
  let node: Int
}

struct AttentionOperation {
  let queries: ValueBuffer
  let out: ValueBuffer
  let cache: Int
  let heads: Int
  let keyValueHeads: Int
  /// 0 for none.
  let window: Int
  /// 0 for none.
  let softcap: Int
  let causal: Bool
  let node: Int
}
