import CKernels
import ModelGraph

/// A part of the plan between two barriers.
enum Step {
  /// Operators that need one row only, applied one after another to each row.
  case rows(Range<Int>)
  /// Products that read values of earlier steps.
  case linear(Range<Int>)
  /// Products with the experts of each row.
  case experts(ExpertStep)
  case attention(AttentionOperation)
  /// The last product, for the rows whose logits are wanted.
  case logits(LogitsOperation)
  /// Hands the last residuals over.
  case residuals(ValueBuffer)
}

/// An operator on one row, with everything it reads resolved to addresses.
struct RowOperation {
  /// Numbers of a tensor in units of 2^-exponent.
  struct Vector {
    let values: UnsafePointer<Int32>
    let exponent: Int32
  }

  /// Rows of a table16.
  struct Table {
    let values: UnsafePointer<Int16>
    let multipliers: UnsafePointer<UInt32>
    let scale: UInt64
    let exponent: Int32
  }

  enum Body {
    /// Cosines and sines of the row's position.
    case angles(Rotation)
    case embedTable(Table)
    case embedLinear(PackedLinear.Format, scale: UInt32, exponent: Int32)
    case embedPosition(Table)
    case rmsNorm(ValueBuffer, gain: Vector)
    case layerNorm(ValueBuffer, gain: Vector, bias: Vector)
    case quantise(ValueBuffer)
    case addBias(ValueBuffer, Vector)
    case normHeads(ValueBuffer, heads: Int32, gain: Vector, epsilon: Int64)
    case rope(ValueBuffer, heads: Int32, Rotation)
    case quantiseHeads(ValueBuffer, limit: Int32)
    /// Appends a position to a key-value cache.
    case store(keys: ValueBuffer, values: ValueBuffer, cache: Int)
    case mergeHeads(ValueBuffer)
    case gated(gate: ValueBuffer, up: ValueBuffer, table: UnsafePointer<UInt32>)
    case activate(ValueBuffer, table: UnsafePointer<UInt32>)
    case add(ValueBuffer, ValueBuffer)
    case addResiduals(ValueBuffer, ValueBuffer)
    case route(ValueBuffer, sharesOfAll: Bool)
    case softcap(ValueBuffer, cap: Int32)
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

struct LogitsOperation {
  let product: LinearOperation
  /// Reads the product's result and overwrites it.
  let softcap: (cap: Int32, node: Int)?
}

/// Products of one input, or of the inputs of each slot, with the same experts.
struct ExpertStep {
  struct Product {
    /// One per expert.
    let weights: [PackedLinear]
    let out: ValueBuffer
    let node: Int
  }

  let products: [Product]
  let input: ValueBuffer
  let routes: ValueBuffer
  /// Where the slots' results wait for their sum. Shape: rows × slots × outputs; nil when they stay side by side.
  let partial: UnsafeMutablePointer<Int32>?

  var slots: Int { routes.width }
  /// Outputs of one expert.
  var outputs: Int { products[0].weights[0].rows }
}

struct AttentionOperation {
  let queries: ValueBuffer
  let out: ValueBuffer
  let cache: Int
  let heads: Int
  let keyValueHeads: Int
  let window: Int
  let softcap: Int
  let causal: Bool
  let node: Int
}
