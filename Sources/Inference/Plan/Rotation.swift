import ModelGraph

/// How far heads turn at each position of a chunk, for one table of frequencies.
struct Rotation {
  // Addresses only, so that every thread can hold one without counting references.
  private let frequencies: UnsafeBufferPointer<UInt64>
  /// Shape: rows × 2 × frequencies: cosines, then sines.
  private let angles: UnsafeMutablePointer<Int32>

  /// Where a rotation lies in an arena.
  struct Place {
    private let frequencies: [UInt64]
    private let frequenciesOffset: Int
    private let anglesOffset: Int

    init(_ frequencies: [UInt64], rows: Int, _ layout: inout ArenaLayout) {
      self.frequencies = frequencies
      frequenciesOffset = layout.reserve(frequencies.count, of: UInt64.self)
      anglesOffset = layout.reserve(rows * 2 * frequencies.count, of: Int32.self)
    }

    func rotation(in arena: Arena) -> Rotation {
      let copy = arena.pointer(at: frequenciesOffset, to: UInt64.self)
      copy.initialize(from: frequencies, count: frequencies.count)
      return Rotation(
        frequencies: UnsafeBufferPointer(start: copy, count: frequencies.count),
        angles: arena.pointer(at: anglesOffset, to: Int32.self))
    }
  }

  var pairs: Int { frequencies.count }
  func cosines(_ row: Int) -> UnsafeMutablePointer<Int32> { angles + row * 2 * pairs }
  func sines(_ row: Int) -> UnsafeMutablePointer<Int32> { cosines(row) + pairs }

  /// Turns a row's heads to a position.
  ///
  /// Source: docs/spec/arithmetic.md, section 4.4.
  func set(_ row: Int, position: Int, cosine table: UnsafePointer<Int32>) {
    let (cosines, sines) = (cosines(row), sines(row))
    for (i, frequency) in frequencies.enumerated() {
      let phase = UInt64(position) &* frequency
      let index = Int((phase &+ (1 << 47)) >> 48)
      cosines[i] = table[index]
      sines[i] = table[(index &- 16384) & 65535]
    }
  }
}
