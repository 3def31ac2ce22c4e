import ModelGraph
import Testing

/// Every bound of docs/spec/arithmetic.md, section 9, and every rule of docs/spec/model.md about tensors.
@Suite struct ModelImageTests {
  let manifest: ModelManifest
  let weights: [UInt8]

  init() {
    var random = SeededRandom.forTest("image")
    (manifest, weights) = RandomModel(config: RandomModel.configuration(layers: 1)).make(&random)
  }

  func refuses(
    _ expected: ModelRejection, _ location: SourceLocation = #_sourceLocation,
    _ change: (inout ModelManifest, inout [UInt8]) -> Void
  ) {
    var (m, w) = (manifest, weights)
    change(&m, &w)
    #expect(throws: expected, sourceLocation: location) {
      try ModelImage(manifest: m, weights: ModelBytes(copying: w))
    }
  }

  @Test func acceptsTheUnchangedModel() throws {
    let image = try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
    #expect(image.linear8("layers.0.q_proj").rows == 12)
  }

  @Test func configurationBounds() {
    func bound(_ name: String, _ field: WritableKeyPath<ModelConfiguration, Int>, _ range: ClosedRange<Int>) {
      for value in [range.lowerBound - 1, range.upperBound + 1, .min, .max] {
        refuses(.outOfBounds(name, value: value, lower: range.lowerBound, upper: range.upperBound)) { m, _ in
          m.config[keyPath: field] = value
        }
      }
    }
    bound("hiddenSize", \.hiddenSize, 1...16384)
    bound("layers", \.layers, 1...4096)
    bound("headDimension", \.headDimension, 2...256)
    bound("keyValueHeads", \.keyValueHeads, 1...1024)
    bound("heads", \.heads, 1...1024)
    bound("intermediateSize", \.intermediateSize, 1...65535)
    bound("vocabularySize", \.vocabularySize, 1...(1 << 20))
    bound("contextLength", \.contextLength, 1...(1 << 20))
    bound("residualFractionBits", \.residualFractionBits, 8...30)
    bound("normEpsilon", \.normEpsilon, 1...((1 << 53) - 1))
    refuses(.outOfBounds("headDimension modulo 2", value: 1, lower: 0, upper: 0)) { m, _ in m.config.headDimension = 7 }
    refuses(.outOfBounds("heads modulo keyValueHeads", value: 2, lower: 0, upper: 0)) { m, _ in
      m.config.keyValueHeads = 4
    }
    refuses(.outOfBounds("heads · headDimension", value: 65536, lower: 1, upper: 65535)) { m, _ in
      m.config.heads = 256
      m.config.headDimension = 256
    }
    refuses(.outOfBounds("rope.frequencies count", value: 4, lower: 0, upper: 3)) { m, _ in m.ropeFrequencies.append(1)
    }
    refuses(.outOfBounds("tokens.endOfSequence count", value: 0, lower: 1, upper: 64)) { m, _ in
      m.tokens.endOfSequence = []
    }
    for id: Int32 in [-1, 37, .max, .min] {
      refuses(.outOfBounds("tokens.endOfSequence", value: Int(id), lower: 0, upper: 36)) { m, _ in
        m.tokens.endOfSequence = [0, id]
      }
      refuses(.outOfBounds("tokens.beginOfSequence", value: Int(id), lower: 0, upper: 36)) { m, _ in
        m.tokens.beginOfSequence = id
      }
    }
  }

  @Test func tensorExtents() {
    let q = manifest.tensors.firstIndex { $0.name == "layers.0.q_proj" }!
    let entry = manifest.tensors[q]
    refuses(.weightsSize(found: weights.count + 64, stated: weights.count)) { _, w in
      w += [UInt8](repeating: 0, count: 64)
    }
    for bytes in [entry.bytes - 1, entry.bytes + 1, 0, -1, .max, .min] {
      refuses(.tensorExtent(entry.name, stated: bytes, expected: entry.bytes)) { m, _ in m.tensors[q].bytes = bytes }
    }
    for shape in [[], [12], [12, 12, 1], [-12, -12], [0, 12], [1 << 32, 1 << 32], [Int.max, 1]] {
      refuses(.tensorExtent(entry.name, stated: entry.bytes, expected: nil)) { m, _ in m.tensors[q].shape = shape }
    }
    for offset in [-64, 1, weights.count, weights.count - 64, .max & ~63, .min] {
      refuses(.tensorOutside(entry.name)) { m, _ in m.tensors[q].offset = offset }
    }
    for exponent in [-257, 257, .max, .min] {
      refuses(.outOfBounds("exponent of tensor \(entry.name)", value: exponent, lower: -256, upper: 256)) { m, _ in
        m.tensors[q].exponent = exponent
      }
    }
    // The same shape at the same place: the one that comes second overlaps.
    let k = manifest.tensors.firstIndex { $0.name == "layers.0.k_proj" }!
    let v = manifest.tensors.firstIndex { $0.name == "layers.0.v_proj" }!
    refuses(.tensorsOverlap("layers.0.v_proj")) { m, _ in m.tensors[v].offset = m.tensors[k].offset }
  }

  @Test func theTensorsOfTheArchitectureAndNoOthers() {
    for (i, tensor) in manifest.tensors.enumerated() {
      // Its bytes must go as well, or they would be a gap that is not zero.
      refuses(.missingTensor(tensor.name)) { m, w in
        m.tensors.remove(at: i)
        for at in tensor.offset..<(tensor.offset + tensor.bytes) { w[at] = 0 }
      }
      refuses(.missingTensor(tensor.name)) { m, _ in m.tensors[i].name = "other" }
    }
    refuses(.unknownTensor("extra")) { m, w in
      m.tensors.append(
        TensorEntry(
          name: "extra", kind: .gain, shape: [16], exponent: 0, offset: TensorEntry.paddedTo64(w.count), bytes: 64))
      w += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(w.count) - w.count + 64)
      m.blobs.weights.bytes = w.count
    }
    refuses(.duplicateTensor("layers.0.k_proj")) { m, w in
      let v = m.tensors.firstIndex { $0.name == "layers.0.v_proj" }!
      m.tensors[v].name = "layers.0.k_proj"
    }
    refuses(
      .wrongShape(
        "layers.0.q_proj", found: "linear8 [6, 24]", expected: "linear8 or linear4 or linear4m or linear16 [12, 12]")
    ) { m, w in
      let q = m.tensors.firstIndex { $0.name == "layers.0.q_proj" }!
      m.tensors[q].shape = [6, 24]
      m.tensors[q].bytes -= 24
      for at in 0..<24 { w[m.tensors[q].offset + m.tensors[q].bytes + at] = 0 }
    }
    refuses(.unknownTensor("embed_tokens")) { m, _ in m.config.tiedEmbeddings = true }
    let known = [
      "bert", "gemma2", "gemma3", "llama", "mistral", "mixtral", "phi3", "qwen2", "qwen3", "qwen3moe", "smollm3",
    ]
    refuses(.unsupportedArchitecture("gpt", known: known)) { m, _ in m.architecture = "gpt" }
  }

  @Test func contents() {
    for tensor in manifest.tensors {
      let valueBytes = tensor.shape.reduce(1, *) * [.linear8: 1, .table16: 2, .gain: 4][tensor.kind]!
      switch tensor.kind {
      case .linear8, .table16:
        for (value, bytes) in [(1 << 24, [0, 0, 0, 1]), (0xFFFF_FFFF, [255, 255, 255, 255])] as [(Int, [UInt8])] {
          refuses(
            .outOfBounds(
              "the largest multiplier of tensor \(tensor.name)", value: value, lower: 0, upper: (1 << 24) - 1)
          ) { _, w in
            w.replaceSubrange((tensor.offset + tensor.bytes - 4)..<(tensor.offset + tensor.bytes), with: bytes)
          }
        }
        let padding = TensorEntry.paddedTo64(valueBytes)
        if padding > valueBytes {
          refuses(.gapNotZero(offset: tensor.offset + padding - 1)) { _, w in w[tensor.offset + padding - 1] = 1 }
        }
      case .gain:
        let limit = (1 << 23) - 1
        for value in [limit + 1, Int(Int32.max)] {
          refuses(.outOfBounds("the largest gain of tensor \(tensor.name)", value: value, lower: -limit, upper: limit))
          {
            $1.replaceSubrange(
              tensor.offset..<(tensor.offset + 4), with: (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
          }
        }
        for value in [-limit - 1, Int(Int32.min)] {
          refuses(.outOfBounds("the smallest gain of tensor \(tensor.name)", value: value, lower: -limit, upper: limit))
          {
            $1.replaceSubrange(
              tensor.offset..<(tensor.offset + 4), with: (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
          }
        }
        let end = tensor.offset + tensor.bytes
        if end % 64 != 0 && end < weights.count { refuses(.gapNotZero(offset: end)) { _, w in w[end] = 7 } }
      case .linear4, .linear4m, .linear16, .bias: Issue.record("no llama of 8-bit weights has one")
      }
    }
    refuses(.gapNotZero(offset: weights.count + 63)) { m, w in
      w += [UInt8](repeating: 0, count: 63) + [1]
      m.blobs.weights.bytes = w.count
    }
  }

  @Test func tooManyInputsOfALinear() {
    let q = manifest.tensors.firstIndex { $0.name == "layers.0.q_proj" }!
    refuses(.outOfBounds("input size of tensor layers.0.q_proj", value: 65536, lower: 1, upper: 65535)) { m, w in
      let bytes = TensorEntry.bytes(kind: .linear8, shape: [1, 65536])!
      m.tensors[q].shape = [1, 65536]
      m.tensors[q].bytes = bytes
      m.tensors[q].offset = TensorEntry.paddedTo64(w.count)
      w += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(w.count) - w.count + bytes)
      for at in manifest.tensors[q].offset..<(manifest.tensors[q].offset + manifest.tensors[q].bytes) { w[at] = 0 }
      m.blobs.weights.bytes = w.count
    }
  }
}
