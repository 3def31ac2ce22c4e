import ModelGraph

/// The bytes of one random tensor.
struct RandomTensor {
  let kind: TensorEntry.Kind
  let shape: [Int]
  let content: RandomModel.Content

  private var isVector: Bool { kind == .gain || kind == .bias }
  private var columns: Int { shape.count > 1 ? shape[1] : shape[0] }

  func make(_ random: inout SeededRandom) -> (bytes: [UInt8], exponent: Int) {
    let count = shape.reduce(1, *)
    var out: [UInt8] = []
    func pad() { out += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(out.count) - out.count) }
    switch kind {
    case .linear8: for _ in 0..<count { append(Int8(element(128, &random)), to: &out) }
    case .linear16, .table16: for _ in 0..<count { append(Int16(element(32768, &random)), to: &out) }
    case .gain, .bias: for _ in 0..<count { append(Int32(vectorElement(&random)), to: &out) }
    case .linear4, .linear4m:
      for _ in 0..<(count / 2) { out.append(nibble(&random) | nibble(&random) << 4) }
      pad()
      let groups = (0..<(count / 32)).map { _ in group(&random) }
      for g in groups { append(g.multiplier, to: &out) }
      if kind == .linear4m {
        pad()
        for g in groups { append(g.minimum, to: &out) }
      }
    }
    if !isVector {
      pad()
      for _ in 0..<shape[0] { append(UInt32(multiplier(&random)), to: &out) }
    }
    return (out, exponent(&random))
  }

  private func append(_ x: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: x.littleEndian) { out.append(contentsOf: $0) }
  }

  /// An element of a matrix whose numbers go from -largest to largest - 1.
  private func element(_ largest: Int, _ random: inout SeededRandom) -> Int {
    switch content {
    case .ordinary: Int.random(in: -(largest - 1)...(largest - 1), using: &random)
    case .wild: random.spread(largest - 1)
    case .extreme(let sameSign, _): !sameSign && Bool.random(using: &random) ? largest - 1 : -largest
    }
  }

  private func vectorElement(_ random: inout SeededRandom) -> Int {
    let largest = (1 << 23) - 1
    switch content {
    case .ordinary where kind == .bias: return Int.random(in: -(1 << 22)...(1 << 22), using: &random)
    case .ordinary: return Int.random(in: 1 << 21...1 << 22, using: &random)
    case .wild: return random.spread(largest)
    case .extreme(let sameSign, _): return !sameSign && Bool.random(using: &random) ? largest : -largest
    }
  }

  private func nibble(_ random: inout SeededRandom) -> UInt8 {
    switch content {
    case .ordinary, .wild: UInt8.random(in: 0...15, using: &random)
    case .extreme(let sameSign, _):
      // The farthest from zero.
      kind == .linear4m ? 15 : !sameSign && Bool.random(using: &random) ? 15 : 0
    }
  }

  private func group(_ random: inout SeededRandom) -> (multiplier: UInt16, minimum: UInt16) {
    switch content {
    case .ordinary:
      // About 1500, and a minimum in the middle of the weights that it makes.
      let g = UInt16.random(in: 1024..<2048, using: &random)
      return (g | (Bool.random(using: &random) && kind == .linear4 ? 1 << 15 : 0), g / 2)
    case .wild:
      return (UInt16.random(in: 0 ... .max, using: &random), UInt16.random(in: 0 ... .max, using: &random))
    case .extreme(let sameSign, _):
      let sign: UInt16 = !sameSign && Bool.random(using: &random) ? 1 << 15 : 0
      // Opposite signs: 15 · G - B is the largest that there is.
      return (0x7FFF | sign, 0x7FFF | (sign ^ 1 << 15))
    }
  }

  private func multiplier(_ random: inout SeededRandom) -> Int {
    switch content {
    case .ordinary: Int.random(in: 1 << 21..<1 << 24, using: &random)
    case .wild: abs(random.spread((1 << 24) - 1))
    case .extreme: (1 << 24) - 1
    }
  }

  private func exponent(_ random: inout SeededRandom) -> Int {
    switch (content, kind) {
    case (.extreme(_, let exponent), _): exponent
    case (.wild, _): Bool.random(using: &random) ? Int.random(in: -256...256, using: &random) : 30
    case (.ordinary, .gain): 21 - Rounding.bitLength(columns) / 2
    case (.ordinary, .bias): 24
    case (.ordinary, .linear8): 23 + 7 + Rounding.bitLength(columns) / 2 - 1
    case (.ordinary, .linear4), (.ordinary, .linear4m): 23 + 13 + Rounding.bitLength(columns) / 2 - 1
    case (.ordinary, .linear16): 23 + 15 + Rounding.bitLength(columns) / 2 - 1
    case (.ordinary, .table16): 23 + 15
    }
  }
}
