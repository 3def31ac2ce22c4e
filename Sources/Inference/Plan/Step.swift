import CKernels

/// A part of the plan between two barriers.
enum Step {
  /// Operators that need one row only, applied one after another to each row.
  case rows(Range<Int>)
  /// Products that read values of earlier steps.
  case linear(Range<Int>)
  case attention(AttentionOperation)
  /// The last product, for the rows whose logits are wanted.
  case logits(LinearOperation)
}

/// An operator on one row, with everything it reads resolved to addresses.
struct RowOperation {
  enum Body {
    /// Cosines and sines of the row's position.
    case angles
    case embedTable(values: UnsafePointer<Int16>, multipliers: UnsafePointer<UInt32>, exponent: Int32)
    case embedLinear(ev_linear8, exponent: Int32)
    case rmsNorm(ValueBuffer, gain: UnsafePointer<Int32>, exponent: Int32)
    case rope(ValueBuffer, heads: Int32)
    case quantiseHeads(ValueBuffer, limit: Int32)
    /// Appends a position to a key-value cache.
    case store(keys: ValueBuffer, values: ValueBuffer, cache: Int)
    case mergeHeads(ValueBuffer)
    case swiglu(gate: ValueBuffer, up: ValueBuffer)
    case add(ValueBuffer, ValueBuffer, fractionBits: Int32)
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

struct AttentionOperation {
  let queries: ValueBuffer
  let out: ValueBuffer
  let cache: Int
  let heads: Int
  let keyValueHeads: Int
  let window: Int
  let node: Int
}
