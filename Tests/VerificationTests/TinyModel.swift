import Digests
import ModelGraph
import Receipts
import TestSupport
import Verification

/// A model of one layer and 64 tokens with weights from a seeded generator: real enough to sample from.
struct TinyModel: Sendable {
  let image: ModelImage
  var manifest: ModelManifest { image.manifest }
  var digest: Digest<ModelManifest> { manifest.digest }

  static let endOfSequence: Int32 = 0
  static let shared = TinyModel(seed: 1)

  init(seed: UInt64) {
    let config = ModelConfiguration(
      hiddenSize: 16, layers: 1, heads: 2, keyValueHeads: 1, headDimension: 8, intermediateSize: 16,
      vocabularySize: 64, contextLength: 96, residualFractionBits: 20, normEpsilon: 1 << 20, tiedEmbeddings: true)
    var random = SplitMix64(seed: seed)
    var weights: [UInt8] = []
    var tensors: [TensorEntry] = []
    for wanted in Architectures.all["llama"]!.tensors(config) {
      while weights.count % 64 != 0 { weights.append(0) }
      let offset = weights.count
      let exponent: Int
      if wanted.kind == .gain {
        exponent = 20
        for _ in 0..<wanted.shape[0] {
          weights += Int32.random(in: 1 << 21...1 << 22, using: &random).littleEndianBytes
        }
      } else {
        exponent = wanted.name == "lm_head" ? 29 : 28
        for _ in 0..<wanted.shape[0] * wanted.shape[1] {
          weights.append(UInt8(bitPattern: Int8.random(in: -127...127, using: &random)))
        }
        while (weights.count - offset) % 64 != 0 { weights.append(0) }
        for _ in 0..<wanted.shape[0] {
          weights += UInt32.random(in: 1 << 20..<1 << 21, using: &random).littleEndianBytes
        }
      }
      tensors.append(
        TensorEntry(
          name: wanted.name, kind: wanted.kind, shape: wanted.shape, exponent: exponent, offset: offset,
          bytes: weights.count - offset))
    }
    tensors.sort { $0.name < $1.name }
    let manifest = ModelManifest(
      architecture: "llama", config: config,
      ropeFrequencies: [
        2_935_890_503_282_001_226, 928_410_000_000_000_000, 293_589_050_328_200_122, 92_841_000_000_000_000,
      ],
      tokens: .init(endOfSequence: [TinyModel.endOfSequence], beginOfSequence: 1), tensors: tensors,
      blobs: .init(
        weights: .init(digest: Digest(of: weights), bytes: weights.count),
        tokenizer: .init(digest: Digest(of: Array("tiny".utf8)), bytes: 4),
        chatTemplate: .init(digest: Digest(of: Array("chat".utf8)), bytes: 4)),
      source: .init(
        format: "safetensors",
        files: [.init(name: "tiny.safetensors", digest: Digest(of: Array("tiny".utf8)), bytes: 4)]))
    image = try! ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }
}

/// Token ids and text of the tiny model: one token, one byte. 62 and 63 are the two halves of "é".
struct TinyRenderer: PromptRenderer {
  struct Unknown: Error, CustomStringConvertible {
    let description: String
  }
  static let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,?!".utf8) + [0xC3, 0xA9]

  /// The bytes that tokens stand for; 1 to 4 are the marks of the template.
  static let pieces: [Int32: UInt8] = Dictionary(
    uniqueKeysWithValues: (Array("<>[]".utf8) + alphabet).enumerated().map { (Int32($0 + 1), $1) })

  func tokens(_ text: String) throws -> [Int32] {
    try text.utf8.map { byte in
      guard let i = TinyRenderer.alphabet.firstIndex(of: byte) else {
        throw Unknown(description: "no token for byte \(byte)")
      }
      return Int32(i + 5)
    }
  }

  func inputTokens(for request: Request, time: String) throws -> [Int32] {
    switch request {
    case .completion(let prompt): return try [1] + tokens(prompt)
    case .chat(let messages):
      var out: [Int32] = [1]
      for message in messages {
        guard let role = ["system", "user", "assistant"].firstIndex(of: message.role) else {
          throw Unknown(description: "no role \(message.role)")
        }
        out += try [Int32(role + 2)] + tokens(message.content)
      }
      return out + [4]
    }
  }

  func inputTokens(for input: EmbeddingRequest.Input) throws -> [Int32] {
    switch input {
    case .text(let text): try [1] + tokens(text) + [4]
    case .tokens(let tokens): tokens
    }
  }

  func bytes(of outputTokens: ArraySlice<Int32>) throws -> [UInt8] {
    try outputTokens.filter { $0 != 0 }.map { token in
      guard let byte = TinyRenderer.pieces[token] else { throw Unknown(description: "no text for token \(token)") }
      return byte
    }
  }
}

struct TinyLibrary: ModelLibrary {
  let model: TinyModel
  func renderer(for wanted: Digest<ModelManifest>) -> (any PromptRenderer)? {
    wanted == model.digest ? TinyRenderer() : nil
  }
  func recomputation(for wanted: Digest<ModelManifest>) -> (any Recomputation)? {
    wanted == model.digest ? ReferenceRecomputation(image: model.image) : nil
  }
}
