import ModelGraph

/// Rows that go through the plan together: consecutive positions of one or more sequences.
struct Chunk {
  /// Consecutive positions of one sequence.
  struct Run {
    let slice: Int
    let pages: UnsafePointer<UnsafePointer<UInt8>?>
    let firstPosition: Int
    let firstRow: Int
    let rows: Int
  }

  /// Rows of one run that attend together.
  struct Tile {
    let run: Int
    let firstRow: Int
    let rows: Int
  }

  private(set) var tokens: [Int32] = []
  private(set) var runs: [Run] = []
  /// Shape: rows. The run of each row.
  private(set) var runOfRow: [Int] = []
  private(set) var tiles: [Tile] = []
  /// Rows whose logits are wanted, ascending.
  private(set) var wanted: [Int] = []
  /// One more than the largest position.
  private(set) var positionsEnd = 0

  /// Queries that share one pass over keys and values.
  static let tileRows = 16

  var rows: Int { tokens.count }

  init(rowsMax: Int) {
    tokens.reserveCapacity(rowsMax)
    runOfRow.reserveCapacity(rowsMax)
    wanted.reserveCapacity(rowsMax)
    runs.reserveCapacity(rowsMax)
    tiles.reserveCapacity(rowsMax)
  }

  /// Keeps the memory.
  mutating func removeAll() {
    tokens.removeAll(keepingCapacity: true)
    runs.removeAll(keepingCapacity: true)
    runOfRow.removeAll(keepingCapacity: true)
    tiles.removeAll(keepingCapacity: true)
    wanted.removeAll(keepingCapacity: true)
    positionsEnd = 0
  }

  mutating func append(
    slice: Int, tokens part: ArraySlice<Int32>, pages: UnsafePointer<UnsafePointer<UInt8>?>, firstPosition: Int,
    wanted wantedRows: Range<Int>
  ) {
    let run = Run(slice: slice, pages: pages, firstPosition: firstPosition, firstRow: rows, rows: part.count)
    for row in wantedRows { wanted.append(run.firstRow + row) }
    for _ in part { runOfRow.append(runs.count) }
    for start in stride(from: 0, to: part.count, by: Chunk.tileRows) {
      tiles.append(
        Tile(run: runs.count, firstRow: run.firstRow + start, rows: min(Chunk.tileRows, part.count - start)))
    }
    tokens.append(contentsOf: part)
    runs.append(run)
    positionsEnd = max(positionsEnd, firstPosition + part.count)
  }

  /// The position of a row in its sequence.
  func position(_ row: Int) -> Int {
    let run = runs[runOfRow[row]]
    return run.firstPosition + row - run.firstRow
  }
}
