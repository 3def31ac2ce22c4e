import Digests
import ModelGraph

/// SplitMix64: a small generator whose seed can be printed and given back.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A model with random weights whose values stay in the range that trained models have.
enum SyntheticModel {
  static func configuration(
    hidden: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int, intermediate: Int, vocabulary: Int,
    context: Int, tied: Bool
  ) -> ModelConfiguration {
    // ε = round(1e-5 · d · 2^40)
    ModelConfiguration(
      hiddenSize: hidden, layers: layers, heads: heads, keyValueHeads: keyValueHeads, headDimension: headDimension,
      intermediateSize: intermediate, vocabularySize: vocabulary, contextLength: context, residualFractionBits: 20,
      normEpsilon: 10_995_116 * hidden, tiedEmbeddings: tied)
  }

  /// - Parameter hostile: weights at their bounds and exponents anywhere, as no training yields them.
  static func image(_ config: ModelConfiguration, seed: UInt64, hostile: Bool = false) throws -> ModelImage {
    var random = SplitMix64(seed: seed)
    var tensors: [TensorEntry] = []
    var end = 0
    let shapes = Architectures.all["llama"]?.tensors(config) ?? []
    for shape in shapes.sorted(by: { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }) {
      guard let bytes = TensorEntry.bytes(kind: shape.kind, shape: shape.shape) else { preconditionFailure("a shape") }
      tensors.append(
        TensorEntry(
          name: shape.name, kind: shape.kind, shape: shape.shape,
          exponent: hostile ? anyExponent(&random) : exponent(shape),
          offset: end, bytes: bytes))
      end = TensorEntry.paddedTo64(end + bytes)
    }
    var weights = [UInt8](repeating: 0, count: end)
    weights.withUnsafeMutableBytes { buffer in
      for tensor in tensors { fill(tensor, UnsafeMutableRawBufferPointer(rebasing: buffer[tensor.offset...]), &random) }
      if hostile { for tensor in tensors { exaggerate(tensor, buffer, &random) } }
    }
    let frequencies = frequencies(config.headDimension)
    let manifest = ModelManifest(
      architecture: "llama", config: config, ropeFrequencies: frequencies,
      tokens: ModelManifest.SpecialTokens(endOfSequence: [0], beginOfSequence: nil), tensors: tensors,
      blobs: ModelManifest.Blobs(
        weights: ModelManifest.Blob(digest: Digest(of: [UInt8]()), bytes: weights.count),
        tokenizer: ModelManifest.Blob(digest: Digest(of: [UInt8]()), bytes: 0), chatTemplate: nil),
      source: ModelManifest.ModelSource(format: "safetensors", files: []))
    return try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  /// An exponent that gives rows of length about 1, gains about √d.
  private static func exponent(_ shape: TensorShape) -> Int {
    switch shape.kind {
    // 73 · 2^23.5 · √in
    case .linear8: 30 + halfBitLength(shape.shape[1])
    // 19000 · 2^23.5: elements about 1
    case .table16: 38
    // √d in 2^19…2^22
    case .gain: 21 - halfBitLength(shape.shape[0])
    case .linear4, .linear4m, .bias: preconditionFailure("no llama of 8-bit weights has one")
    }
  }

  private static func anyExponent(_ random: inout SplitMix64) -> Int {
    [-256, 256, 0].randomElement(using: &random).map { Int.random(in: 0..<4, using: &random) == 0 ? $0 : nil }
      .flatMap { $0 } ?? Int.random(in: -20...60, using: &random)
  }

  /// Every few values one at a bound of its kind.
  private static func exaggerate(
    _ tensor: TensorEntry, _ buffer: UnsafeMutableRawBufferPointer, _ random: inout SplitMix64
  ) {
    let count = tensor.shape.reduce(1, *)
    let every = 1 + Int(random.next() % 5)
    let bits = random.next()
    for i in stride(from: 0, to: count, by: every) {
      let up = bits >> UInt64(i % 64) & 1 == 1
      switch tensor.kind {
      case .linear8: buffer[tensor.offset + i] = UInt8(bitPattern: up ? 127 : -128)
      case .table16: buffer.storeBytes(of: up ? 32767 : -32768, toByteOffset: tensor.offset + 2 * i, as: Int16.self)
      case .gain:
        let bound: Int32 = (1 << 23) - 1
        buffer.storeBytes(of: up ? bound : -bound, toByteOffset: tensor.offset + 4 * i, as: Int32.self)
      case .linear4, .linear4m, .bias: preconditionFailure("no llama of 8-bit weights has one")
      }
    }
    if tensor.kind == .gain { return }
    let values = TensorEntry.paddedTo64(tensor.kind == .linear8 ? count : 2 * count)
    for j in stride(from: 0, to: tensor.shape[0], by: every) {
      let multiplier: UInt32 = bits >> UInt64(63 - j % 64) & 1 == 1 ? (1 << 24) - 1 : 0
      buffer.storeBytes(of: multiplier, toByteOffset: tensor.offset + values + 4 * j, as: UInt32.self)
    }
  }

  private static func halfBitLength(_ n: Int) -> Int { (Int.bitWidth - n.leadingZeroBitCount) / 2 }

  private static func fill(
    _ tensor: TensorEntry, _ buffer: UnsafeMutableRawBufferPointer, _ random: inout SplitMix64
  ) {
    let count = tensor.shape.reduce(1, *)
    func multipliers(at start: Int) {
      for j in 0..<tensor.shape[0] {
        let value = UInt32((1 << 23) + random.next() % (1 << 23))
        buffer.storeBytes(of: value, toByteOffset: start + 4 * j, as: UInt32.self)
      }
    }
    switch tensor.kind {
    case .linear8:
      for i in stride(from: 0, to: count, by: 8) {
        let bits = random.next()
        for k in 0..<min(8, count - i) {
          buffer[i + k] = UInt8(bitPattern: Int8(max(-127, Int(Int8(truncatingIfNeeded: bits >> UInt64(8 * k))))))
        }
      }
      multipliers(at: TensorEntry.paddedTo64(count))
    case .table16:
      for i in 0..<count {
        let value = Int16(max(-32767, Int(Int16(truncatingIfNeeded: random.next()))))
        buffer.storeBytes(of: value, toByteOffset: 2 * i, as: Int16.self)
      }
      multipliers(at: TensorEntry.paddedTo64(2 * count))
    case .gain:
      for i in 0..<count {
        let value = Int32((1 << 20) + Int(random.next() % (1 << 21)))
        buffer.storeBytes(of: random.next() % 16 == 0 ? -value : value, toByteOffset: 4 * i, as: Int32.self)
      }
    case .linear4, .linear4m, .bias: preconditionFailure("no llama of 8-bit weights has one")
    }
  }

  /// Turns per position from 1 / 2π down to about 1 / 60000, halving evenly: close to θ = 10000.
  private static func frequencies(_ headDimension: Int) -> [UInt64] {
    let first: UInt64 = 0x28BE_60DB_9391_054A
    let pairs = headDimension / 2
    return (0..<pairs).map { i in
      let (whole, part) = (13 * i).quotientAndRemainder(dividingBy: pairs)
      let high = first >> UInt64(whole)
      return high - high / UInt64(2 * pairs) * UInt64(part)
    }
  }
}
