import CKernels
import ModelGraph

/// Where one value of the graph lies for every row of a chunk.
///
/// Several values share memory when their lives do not overlap.
struct ValueBuffer {
  let shape: ValueShape
  let rows: UnsafeMutableRawPointer
  let rowBytes: Int
  /// Shape: rows × heads. Unused by residuals and routes.
  let exponents: UnsafeMutablePointer<Int32>
  /// act16 only: what products read. Shape: rows × parts × partBytes.
  let planes: UnsafeMutableRawPointer

  /// Elements per row; of routes the slots.
  var width: Int { shape.width }
  /// Exponents per row.
  var heads: Int { shape.heads }
  var planeBytes: Int { shape.planeBytes }

  func residual(_ row: Int) -> UnsafeMutablePointer<Int64> { pointer(row) }
  func int16(_ row: Int) -> UnsafeMutablePointer<Int16> { pointer(row) }
  func int32(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) }
  func exponents(_ row: Int) -> UnsafeMutablePointer<Int32> { exponents + row * heads }
  func planes(_ row: Int) -> UnsafeMutableRawPointer { planes + row * planeBytes }
  /// Of routes. Shape: slots.
  func experts(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) }
  /// Of routes. Shape: slots.
  func shares(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) + width }

  @inline(__always)
  private func pointer<Element>(_ row: Int) -> UnsafeMutablePointer<Element> {
    (rows + row * rowBytes).assumingMemoryBound(to: Element.self)
  }

  /// What a trace digests, for one row.
  func value(_ row: Int) -> Value {
    func list<Element>(_ pointer: UnsafeMutablePointer<Element>, _ count: Int) -> [Element] {
      Array(UnsafeBufferPointer(start: pointer, count: count))
    }
    let exponents = list(exponents(row), heads).map { Int($0) }
    switch shape.kind {
    case .residual: return .residual(Residual(list(residual(row), width).map { Int($0) }))
    case .act16: return .act16(Act16(list(int16(row), width), exponent: exponents[0]))
    case .act32: return .act32(Act32(list(int32(row), width), exponent: exponents[0]))
    case .heads16: return .heads16(Heads16(list(int16(row), width), exponents: exponents))
    case .heads32: return .heads32(Heads32(list(int32(row), width), exponents: exponents))
    case .routes: return .routes(Routes(ids: list(experts(row), width), shares: list(shares(row), width)))
    }
  }
}

/// What a value needs per row; values of equal shape can take each other's place.
struct ValueShape: Hashable {
  enum Kind { case residual, act16, act32, heads16, heads32, routes }

  let kind: Kind
  let width: Int
  let heads: Int
  /// act16 only: parts that products read one by one, such as the inputs of the slots of experts.
  let parts: Int
  /// Whether products need the sums of groups.
  private let hasGroupSums: Bool

  /// - Parameter parts: how many parts of the node's value products read one by one.
  init(_ node: GraphNode, parts: Int = 1, groupSums: Bool) {
    width = node.width
    switch node.op {
    case .embed, .embedPosition, .layerNorm, .add, .addResiduals: (kind, heads) = (.residual, 1)
    case .rmsNorm, .quantise, .mergeHeads, .gated, .activate: (kind, heads) = (.act16, 1)
    case .linear, .addBias, .normHeads, .rope, .softcap, .expertLinear, .expertSum: (kind, heads) = (.act32, 1)
    case .quantiseHeads(let count, _): (kind, heads) = (.heads16, count)
    case .attention(let attention): (kind, heads) = (.heads32, attention.heads)
    case .route: (kind, heads) = (.routes, 1)
    }
    self.parts = kind == .act16 ? parts : 1
    hasGroupSums = kind == .act16 && groupSums
  }

  private init(kind: Kind, width: Int) {
    self.kind = kind
    self.width = width
    heads = 1
    parts = 1
    hasGroupSums = false
  }

  /// int32 elements that are no value of the graph.
  static func elements(_ width: Int) -> ValueShape { ValueShape(kind: .act32, width: width) }

  /// One for every node of the graph.
  static func shapes(of graph: Graph, groupSums: Bool) -> [ValueShape] {
    var parts = [Int](repeating: 1, count: graph.nodes.count)
    for node in graph.nodes {
      if case .expertSum = node.op { parts[node.inputs[0]] = graph.nodes[node.inputs[1]].width }
    }
    return graph.nodes.indices.map { ValueShape(graph.nodes[$0], parts: parts[$0], groupSums: groupSums) }
  }

  var rowBytes: Int {
    switch kind {
    case .residual: 8 * width
    case .act16, .heads16: 2 * width
    case .act32, .heads32: 4 * width
    case .routes: 2 * 4 * width
    }
  }

  /// Rows start at multiples of 64 bytes.
  var rowStride: Int { (rowBytes + 63) & ~63 }
  var partWidth: Int { width / parts }
  var partPadded: Int32 { ev_padded_in(Int32(partWidth)) }
  var groupSums: Bool { hasGroupSums }
  var partBytes: Int { kind == .act16 ? Int(ev_plane_bytes(partPadded, hasGroupSums)) : 0 }
  var planeBytes: Int { parts * partBytes }
}
