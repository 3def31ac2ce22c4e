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
  private let logitsInput: Slot

  init(_ graph: Graph, rows: Int, logitsRows: Int, _ layout: inout ArenaLayout) {
    shapes = graph.nodes.map { ValueShape($0) }
    var assignment = Assignment(graph, shapes)
    for group in StepGroup.groups(of: graph) { assignment.assign(group) }
    slotOfNode = assignment.slotOfNode
    slots = assignment.slotShapes.enumerated().map { index, shape in
      let count = index == assignment.slotOfNode[graph.output] ? logitsRows : rows
      return Slots.reserve(shape, count, &layout)
    }
    logitsInput = Slots.reserve(shapes[graph.nodes[graph.output].inputs[0]], logitsRows, &layout)
  }

  private static func reserve(_ shape: ValueShape, _ rows: Int, _ layout: inout ArenaLayout) -> Slot {
    Slot(
      shape: shape, rows: layout.reserve(rows * shape.rowStride, of: UInt8.self),
      exponents: layout.reserve(rows * shape.heads, of: Int32.self),
      planes: layout.reserve(rows * shape.planeBytes, of: UInt8.self))
  }

  /// One per node.
  func buffers(in arena: Arena) -> [ValueBuffer] { slotOfNode.map { Slots.buffer(slots[$0], arena) } }

  /// The rows of the last product's input whose logits are wanted, side by side.
  func logitsInput(in arena: Arena) -> ValueBuffer { Slots.buffer(logitsInput, arena) }

  private static func buffer(_ slot: Slot, _ arena: Arena) -> ValueBuffer {
    ValueBuffer(
      kind: slot.shape.kind, width: slot.shape.width, heads: slot.shape.heads, rows: arena.base + slot.rows,
      rowBytes: slot.shape.rowStride, exponents: arena.pointer(at: slot.exponents, to: Int32.self),
      planes: arena.base + slot.planes, planeBytes: slot.shape.planeBytes)
  }
}

/// Walks through a graph's steps and gives each value the first free slot of its shape.
private struct Assignment {
  private let graph: Graph
  private let shapes: [ValueShape]
  private var lastReader: [Int]
  private var free: [ValueShape: [Int]] = [:]
  private(set) var slotOfNode: [Int]
  private(set) var slotShapes: [ValueShape] = []

  init(_ graph: Graph, _ shapes: [ValueShape]) {
    self.graph = graph
    self.shapes = shapes
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
      } else if index == graph.output {
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

  /// Rotation and addition overwrite their first input when nobody reads it afterwards.
  private func inPlaceInput(_ index: Int) -> Int? {
    let node = graph.nodes[index]
    switch node.op {
    case .rope, .add: return lastReader[node.inputs[0]] == index ? node.inputs[0] : nil
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
