import ModelGraph

extension ModelBytes {
  /// Calls `body` with the content from start to end in pieces, each of which may leave memory once it is done:
  /// going through a model that lies in a file does not take its size in memory.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    for from in stride(from: 0, to: count, by: 16 << 20) {
      let piece = UnsafeRawBufferPointer(rebasing: buffer[from..<min(from + (16 << 20), count)])
      try body(piece)
      release(piece)
    }
    withExtendedLifetime(self) {}
  }
}
