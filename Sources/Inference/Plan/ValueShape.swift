import CKernels
import ModelGraph

/// What a value needs per row; values of equal shape can take each other's place.
struct ValueShape: Hashable {
  let kind: ValueBuffer.Kind
  let width: Int
  /// Exponents per row.
  let heads: Int
  /// See ``ValueBuffer/parts``.
  private(set) var parts = 1
  /// Whether a 4-bit weight reads the value.
  private(set) var groupSums = false

  private init(_ node: GraphNode) {
    width = node.width
    switch node.op {
    case .embed, .embedPosition, .layerNorm, .add, .addResiduals: (kind, heads) = (.residual, 1)
    case .rmsNorm, .quantise, .mergeHeads, .gated, .activate: (kind, heads) = (.act16, 1)
    case .linear, .addBias, .normHeads, .rope, .softcap, .expertLinear, .expertSum: (kind, heads) = (.act32, 1)
    case .quantiseHeads(let count, _): (kind, heads) = (.heads16, count)
    case .attention(let attention): (kind, heads) = (.heads32, attention.heads)
    case .route: (kind, heads) = (.routes, 1)
    }
  }

  /// One per node; how activations are kept depends on the weights that read them.
  static func shapes(of graph: Graph, _ weights: PackedWeights) -> [ValueShape] {
    var shapes = graph.nodes.map { ValueShape($0) }
    for node in graph.nodes {
      switch node.op {
      case .linear(let name):
        if weights.linears[name]?.readsGroupSums == true { shapes[node.inputs[0]].groupSums = true }
      case .expertLinear(let name, _), .expertSum(let name, _):
        if weights.experts[name]?.first?.readsGroupSums == true { shapes[node.inputs[0]].groupSums = true }
        if case .expertSum = node.op { shapes[node.inputs[0]].parts = graph.nodes[node.inputs[1]].width }
      default: break
      }
    }
    return shapes
  }

  var rowBytes: Int {
    switch kind {
    case .residual, .routes: 8 * width
    case .act16, .heads16: 2 * width
    case .act32, .heads32: 4 * width
    }
  }

  /// Rows start at multiples of 64 bytes.
  var rowStride: Int { (rowBytes + 63) & ~63 }
  /// Of one part.
  var planeBytes: Int { kind == .act16 ? ev_plane_bytes(ev_padded_in(Int32(width / parts)), groupSums) : 0 }
}
