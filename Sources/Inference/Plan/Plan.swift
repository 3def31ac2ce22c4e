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
  /// Where the last product reads the rows whose logits are wanted.
  let logitsInput: ValueBuffer
  /// Shape: rowsMax × headDimension: cosines, then sines, of each row's position.
  let angles: UnsafeMutablePointer<Int32>
  /// What kernels need for one row of any operator but attention.
  let vectorScratchBytes: Int
  /// Multiplications per row, the last product and attention aside.
  let weightsPerRow: Int
  private let arena: Arena
  private let image: ModelImage

  /// Bytes of logits that one pass of the last product may fill.
  private static let logitsBytes = 16 << 20

  init(image: ModelImage, weights: PackedWeights, rowsMax: Int) throws(EngineFailure) {
    let config = image.manifest.config
    let logitsRows = min(rowsMax, max(8, Plan.logitsBytes / (4 * config.vocabularySize)))
    var layout = ArenaLayout()
    let slots = Slots(image.graph, rows: rowsMax, logitsRows: logitsRows, &layout)
    let angles = layout.reserve(rowsMax * config.headDimension, of: Int32.self)
    let arena = try Arena(byteCount: layout.byteCount)
    var builder = PlanBuilder(
      image: image, weights: weights, buffers: slots.buffers(in: arena), logitsInput: slots.logitsInput(in: arena))
    builder.build()
    steps = builder.steps
    rowOperations = builder.rowOperations
    linears = builder.linears
    logitsInput = builder.logitsInput
    weightsPerRow = linears.reduce(0) { $0 + Int($1.weight.c.in) * Int($1.weight.c.out) }
    names = image.graph.nodes.map(\.name)
    self.rowsMax = rowsMax
    logitsRowsMax = logitsRows
    self.angles = arena.pointer(at: angles, to: Int32.self)
    vectorScratchBytes = image.graph.nodes.map { ev_vector_scratch_bytes(Int32($0.width)) }.max() ?? 0
    self.arena = arena
    self.image = image
  }
}
