import Foundation
import ModelFiles
import ModelGraph

/// Random tensors on their way into a temporary file.
final class RandomWeights {
  private let path: String
  private let file: FileHandle
  private var size = 0
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  /// Written at once.
  private static let pieceBytes = 1 << 20

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "evident-bench-\(UUID().uuidString)").path
    guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
    else { throw CommandFailure("cannot write a temporary file at \(path); set TMPDIR to a folder with room") }
    self.file = file
  }

  deinit { unlink(path) }

  func append(_ name: String, _ kind: TensorEntry.Kind, _ shape: [Int]) throws -> TensorEntry {
    guard let parts = TensorEntry.parts(kind: kind, shape: shape) else {
      throw CommandFailure("a shape of the benchmark is no shape of a \(kind.rawValue)")
    }
    try pad()
    let offset = size
    for (index, bytes) in parts.enumerated() {
      try pad()
      let isLast = index == parts.count - 1
      switch kind {
      case .gain, .bias: try write(bytes) { _ in UInt64(1 << 22) << 32 | 1 << 22 }
      // Multipliers near 2^23, those of groups of 10 bits with the same shift.
      case .linear8, .linear16, .table16, .linear4, .linear4m:
        if isLast {
          try write(bytes) { $0 & 0x003F_FFFF_003F_FFFF | 0x0080_0000_0080_0000 }
        } else if index > 0 {
          try write(bytes) { $0 & 0x83FF_83FF_83FF_83FF | 0x0C00_0C00_0C00_0C00 }
        } else {
          try write(bytes) { $0 }
        }
      }
    }
    // Exponents that make weights the size of trained ones: about 2^-11 of an int8, 2^-8 of 4 bits.
    let exponent = kind == .gain ? 17 : kind == .linear4 ? 42 : 34
    return TensorEntry(name: name, kind: kind, shape: shape, exponent: exponent, offset: offset, bytes: size - offset)
  }

  /// The file's content; its pages can leave memory.
  func finish() throws -> ModelBytes {
    try file.close()
    return try MappedFile(path: path).bytes
  }

  private func pad() throws {
    let padding = TensorEntry.paddedTo64(size) - size
    if padding > 0 { try write(padding) { _ in 0 } }
  }

  /// - Parameter shape: makes eight bytes of random bits.
  private func write(_ bytes: Int, _ shape: (UInt64) -> UInt64) throws {
    var left = bytes
    while left > 0 {
      let count = min(left, RandomWeights.pieceBytes)
      var piece = [UInt64](repeating: 0, count: (count + 7) / 8)
      for i in piece.indices { piece[i] = shape(next()) }
      try piece.withUnsafeBytes { try file.write(contentsOf: $0[..<count]) }
      left -= count
    }
    size += bytes
  }

  private func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
