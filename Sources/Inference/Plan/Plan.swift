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
  /// Where the last product reads the rows whose logits are wanted; nil in an encoder.
  let logitsInput: ValueBuffer?
  /// What an encoder yields: the last residuals.
  let residuals: ValueBuffer?
  /// Those that the graph uses.
  let rotations: [RotationTable]
  /// The most choices of experts that a chunk can have.
  let choicesMax: Int
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
    let slots = Slots(
      image.graph, rows: rowsMax, logitsRows: logitsRows, groupSums: weights.needsGroupSums, &layout)
    let tables: [RopeTable] = image.manifest.localRopeFrequencies == nil ? [.global] : [.global, .local]
    let angles = tables.map { table -> (table: RopeTable, frequencies: [UInt64], offset: Int) in
      let frequencies = image.manifest.frequencies(table)
      return (table, frequencies, layout.reserve(rowsMax * 2 * frequencies.count, of: Int32.self))
    }
    let arena = try Arena(byteCount: layout.byteCount)
    let rotations = Dictionary(
      uniqueKeysWithValues: angles.map {
        let angles = arena.pointer(at: $0.offset, to: Int32.self)
        return ($0.table, RotationTable(frequencies: $0.frequencies, angles: angles))
      })
    let buffers = slots.buffers(in: arena)
    var builder = PlanBuilder(
      image: image, weights: weights, buffers: buffers, products: slots.products(in: arena), rotations: rotations)
    builder.build()
    steps = builder.steps
    rowOperations = builder.rowOperations
    linears = builder.linears
    logitsInput = slots.logitsInput(in: arena)
    residuals = image.manifest.config.isEncoder ? buffers[image.graph.output] : nil
    self.rotations = rotations.values.filter { !$0.frequencies.isEmpty }
    choicesMax = rowsMax * (config.expertsPerToken ?? 0)
    weightsPerRow = builder.weightsPerRow
    names = image.graph.nodes.map(\.name)
    self.rowsMax = rowsMax
    logitsRowsMax = logitsRows
    vectorScratchBytes = image.graph.nodes.map { ev_vector_scratch_bytes(Int32($0.width)) }.max() ?? 0
    self.arena = arena
    self.image = image
  }
}
