import CKernels
import ModelGraph

/// Assigns memory to the values of a graph; values whose lives do not overlap share it.
struct Slots {
  private struct Slot {
    let shape: ValueShape
    let rows: Int
    let exponents: Int
    let planes: Int
  }

  private let shapes: [ValueShape]
  private let slotOfNode: [Int]
  private let slots: [Slot]
  private let logitsInput: Slot?

  /// - Parameter logits: the product that yields logits, which has fewer rows; nil in encoders.
  init(
    _ graph: Graph, _ shapes: [ValueShape], logits: Int?, rows: Int, logitsRows: Int, _ layout: inout ArenaLayout
  ) {
    self.shapes = shapes
    var assignment = Assignment(graph, shapes, logits: logits)
    for group in StepGroup.groups(of: graph, logits: logits) { assignment.assign(group) }
    slotOfNode = assignment.slotOfNode
    slots = assignment.slotShapes.enumerated().map { index, shape in
      let count = index == logits.map { assignment.slotOfNode[$0] } ? logitsRows : rows
      return Slots.reserve(shape, count, &layout)
    }
    logitsInput = logits.map { Slots.reserve(shapes[graph.nodes[$0].inputs[0]], logitsRows, &layout) }
  }

  private static func reserve(_ shape: ValueShape, _ rows: Int, _ layout: inout ArenaLayout) -> Slot {
    Slot(
      shape: shape, rows: layout.reserve(rows * shape.rowStride, of: UInt8.self),
      exponents: layout.reserve(rows * shape.heads, of: Int32.self),
      planes: layout.reserve(rows * shape.parts * shape.planeBytes, of: UInt8.self))
  }

  /// One per node.
  func buffers(in arena: Arena) -> [ValueBuffer] { slotOfNode.map { Slots.buffer(slots[$0], arena) } }

  /// The rows of the last product's input whose logits are wanted, side by side.
  func logitsInput(in arena: Arena) -> ValueBuffer? { logitsInput.map { Slots.buffer($0, arena) } }

  private static func buffer(_ slot: Slot, _ arena: Arena) -> ValueBuffer {
    ValueBuffer(
      kind: slot.shape.kind, width: slot.shape.width, heads: slot.shape.heads, rows: arena.base + slot.rows,
      rowBytes: slot.shape.rowStride, exponents: arena.pointer(at: slot.exponents, to: Int32.self),
      planes: arena.base + slot.planes, parts: slot.shape.parts, groupSums: slot.shape.groupSums,
      planeBytes: slot.shape.planeBytes)
  }
}

/// Walks through a graph's steps and gives each value the first free slot of its shape.
private struct Assignment {
  private let graph: Graph
  private let shapes: [ValueShape]
  private let logits: Int?
  private var lastReader: [Int]
  private var free: [ValueShape: [Int]] = [:]
  private(set) var slotOfNode: [Int]
  private(set) var slotShapes: [ValueShape] = []

  init(_ graph: Graph, _ shapes: [ValueShape], logits: Int?) {
    self.graph = graph
    self.shapes = shapes
    self.logits = logits
    lastReader = Array(repeating: -1, count: graph.nodes.count)
    slotOfNode = Array(repeating: -1, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs { lastReader[input] = index }
    }
  }

  mutating func assign(_ group: StepGroup) {
    for index in group.nodes {
      if let input = inPlaceInput(index) {
        slotOfNode[index] = slotOfNode[input]
      } else if index == logits || index == graph.output {
        slotOfNode[index] = newSlot(shapes[index])
      } else {
        slotOfNode[index] = free[shapes[index]]?.popLast() ?? newSlot(shapes[index])
      }
      if group.isRowByRow { release(inputsOf: index) }
    }
    if !group.isRowByRow {
      for index in group.nodes { release(inputsOf: index) }
    }
  }

  /// These operators overwrite their first input when nobody reads it afterwards.
  private func inPlaceInput(_ index: Int) -> Int? {
    let node = graph.nodes[index]
    switch node.op {
    case .rope, .add, .addResiduals, .addBias, .normHeads, .layerNorm, .softcap:
      return lastReader[node.inputs[0]] == index ? node.inputs[0] : nil
    default: return nil
    }
  }

  private mutating func release(inputsOf index: Int) {
    for input in Set(graph.nodes[index].inputs) where lastReader[input] == index {
      if slotOfNode[input] != slotOfNode[index] { free[shapes[input], default: []].append(slotOfNode[input]) }
    }
  }

  private mutating func newSlot(_ shape: ValueShape) -> Int {
    slotShapes.append(shape)
    return slotShapes.count - 1
  }
}
