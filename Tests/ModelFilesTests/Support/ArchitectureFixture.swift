import Digests
import Foundation
import ModelFiles
import ModelGraph
import Testing

/// A tiny random model of one family, and what `transformers` computes from its weights in float32.
///
/// Made by Reference/fixtures/make_architectures.py.
struct ArchitectureFixture: CustomTestStringConvertible {
  let name: String
  let weights: WeightFormat

  static let decoders = [
    "llama-llama3", "llama-linear", "mistral", "qwen2", "qwen3", "smollm3", "gemma2", "gemma3", "phi3",
    "phi3-longrope", "mixtral", "qwen3moe", "qwen3moe-all",
  ]
  static let encoders = ["bert-mean", "bert-cls"]
  static func all(_ names: [String]) -> [ArchitectureFixture] {
    names.flatMap { name in
      [.eightBit, .fourBit, .sixteenBit].map { ArchitectureFixture(name: name, weights: $0) }
    }
  }

  var testDescription: String { "\(name) \(weights.rawValue)" }
  private var root: String { Fixtures.path("architectures/\(name)") }
  /// The format on whose grid the linear weights lie: 16 bits hold those of 8 too.
  private var grid: String { weights == .fourBit ? "4bit" : "8bit" }
  /// A Hugging Face directory with those weights.
  var directory: String { "\(root)/\(grid)" }

  /// The model as it is imported.
  func image(threads: Int = 2) throws -> ModelImage {
    var bytes: [UInt8] = []
    let options = ImportOptions(threads: threads, weights: weights)
    let manifest = try HuggingFaceImporter(directory: directory, options: options).convert { bytes += $0 }
    return try ModelImage(manifest: manifest, weights: ModelBytes(copying: bytes))
  }

  /// Sequences of token ids.
  func sequences() throws -> [[Int32]] {
    let json = try JSON.parse(Array(try Data(contentsOf: URL(fileURLWithPath: "\(root)/expected.json"))))
    return json["sequences"]!.array!.map { $0.array!.map { Int32($0.integer!) } }
  }

  /// The id of the largest float32 logit at every position of every sequence.
  func top() throws -> [Int] {
    let json = try JSON.parse(Array(try Data(contentsOf: URL(fileURLWithPath: "\(root)/expected.json"))))
    return json["top"]![grid]!.array!.map { $0.integer! }
  }

  /// One row for every position of every sequence, or, of an encoder, for every sequence.
  func expected() throws -> [[Double]] {
    let file = try SafetensorsFile(directory: root, name: "\(grid).safetensors")
    let tensor = file.tensors[0]
    return (0..<tensor.rowCount).map { row in
      var values = [Float](repeating: 0, count: tensor.columns)
      values.withUnsafeMutableBufferPointer { tensor.readRow(row, into: $0) }
      return values.map { Double($0) }
    }
  }
}

/// How far a model's answers are from those of float32.
struct Agreement {
  var leastCosine = 1.0
  var meanCosine = 0.0
  /// The share of rows whose largest element is the same.
  var top = 0.0

  /// - Parameter top: the index of each expected row's largest element.
  init(_ found: [[Double]], _ expected: [[Double]], top: [Int]) {
    precondition(found.count == expected.count && found.count == top.count && !found.isEmpty)
    for (i, (a, b)) in zip(found, expected).enumerated() {
      precondition(a.count == b.count)
      func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
      let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
      leastCosine = min(leastCosine, cosine)
      meanCosine += cosine / Double(found.count)
      if a.indices.max(by: { a[$0] < a[$1] }) == top[i] { self.top += 1 / Double(found.count) }
    }
  }

  /// A row of a table.
  func row(_ fixture: ArchitectureFixture) -> String {
    let top = (top * 10000).rounded() / 100
    return "| \(fixture.name) | \(fixture.weights.rawValue) | \(Agreement.digits(leastCosine)) "
      + "| \(Agreement.digits(meanCosine)) | \(top) |"
  }

  /// Seven decimals, rounded down.
  private static func digits(_ cosine: Double) -> String {
    let digits = String(Int((cosine * 1e7).rounded(.down)))
    return digits.count > 7 ? "1.0000000" : "0." + String(repeating: "0", count: 7 - digits.count) + digits
  }
}
