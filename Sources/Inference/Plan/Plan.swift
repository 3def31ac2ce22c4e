import CKernels
import ModelGraph

/// A graph turned into kernel calls over memory that is laid out once.
///
/// Operators that need a single row are grouped: one thread takes a row through all of them while it is in
/// its cache. Threads meet only around products and attention.
final class Plan: @unchecked Sendable {
  // Sendable because the memory behind the addresses is only touched under the lock of the engine that owns it.
  let steps: [Step]
  let rowOperations: [RowOperation]
  let linears: [LinearOperation]
  /// Names of the nodes, for traces.
  let names: [String]
  /// Rows that a chunk can hold.
  let rowsMax: Int
  /// Rows that the logits step can hold.
  let logitsRowsMax: Int
  /// Where the last product reads the rows whose logits are wanted; nil in encoders.
  let logitsInput: ValueBuffer?
  /// What kernels need for one row of any operator but attention.
  let vectorScratchBytes: Int
  /// What a member needs for products with experts.
  let expertScratch: ExpertScratch
  /// Multiplications per row, the last product and attention aside.
  let weightsPerRow: Int
  private let arena: Arena
  private let image: ModelImage

  /// Bytes of logits that one pass of the last product may fill.
  private static let logitsBytes = 16 << 20

  init(image: ModelImage, weights: PackedWeights, rowsMax: Int) throws(EngineFailure) {
    let (config, graph) = (image.manifest.config, image.graph)
    let logits = config.isEncoder ? nil : graph.logits
    let logitsRows = min(rowsMax, max(8, Plan.logitsBytes / (4 * config.vocabularySize)))
    let shapes = ValueShape.shapes(of: graph, weights)
    var layout = ArenaLayout()
    let slots = Slots(graph, shapes, logits: logits, rows: rowsMax, logitsRows: logitsRows, &layout)
    let rotations = Plan.ropeTables(of: graph).map {
      ($0, Rotation.Place(image.manifest.frequencies($0), rows: rowsMax, &layout))
    }
    let partial = layout.reserve(rowsMax * Plan.partialWidth(of: graph), of: Int32.self)
    let arena = try Arena(byteCount: layout.byteCount)
    var builder = PlanBuilder(
      image: image, weights: weights, logits: logits, buffers: slots.buffers(in: arena),
      rotations: rotations.map { ($0, $1.rotation(in: arena)) },
      partial: arena.pointer(at: partial, to: Int32.self))
    builder.build()
    steps = builder.steps
    rowOperations = builder.rowOperations
    linears = builder.linears
    logitsInput = slots.logitsInput(in: arena)
    weightsPerRow = builder.weightsPerRow
    expertScratch = ExpertScratch(builder.steps)
    names = graph.nodes.map(\.name)
    self.rowsMax = rowsMax
    logitsRowsMax = logitsRows
    vectorScratchBytes = graph.nodes.map { ev_vector_scratch_bytes(Int32($0.width)) }.max() ?? 0
    self.arena = arena
    self.image = image
  }

  private static func ropeTables(of graph: Graph) -> [RopeTable] {
    [RopeTable.global, .local].filter { table in
      graph.nodes.contains { node in
        if case .rope(_, table) = node.op { true } else { false }
      }
    }
  }

  /// The most elements that the slots' results of one row have.
  private static func partialWidth(of graph: Graph) -> Int {
    graph.nodes.reduce(0) { most, node in
      if case .expertSum = node.op { max(most, graph.nodes[node.inputs[1]].width * node.width) } else { most }
    }
  }
}
