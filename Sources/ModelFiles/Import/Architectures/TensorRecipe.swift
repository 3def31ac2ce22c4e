/// A name of docs/spec/model.md, "Tensors", taken apart.
struct TensorName {
  /// Nil outside layers.
  let layer: Int?
  /// Without the layer and without `.bias`.
  let part: String
  let isBias: Bool

  init(_ name: String) {
    var parts = name.split(separator: ".")[...]
    isBias = parts.last == "bias"
    if isBias { parts.removeLast() }
    if parts.first == "layers", parts.count > 2, let n = Int(parts[1]) {
      layer = n
      parts = parts.dropFirst(2)
    } else {
      layer = nil
    }
    part = parts.joined(separator: ".")
  }

  /// What checkpoints call it: `weight` or `bias`.
  var kind: String { isBias ? "bias" : "weight" }
}

/// How one tensor of the model is made from tensors of a checkpoint.
struct TensorRecipe {
  /// One tensor, or rows of one.
  struct Part {
    /// What it may be called; a checkpoint has it under one of these names.
    var names: [String]
    /// The rows that are meant, and how many there are; nil for all.
    var rows: (range: Range<Int>, of: Int)?
  }

  /// Their rows one after another.
  var parts: [Part]
  /// A tensor whose first row is added to every row.
  var firstRowOf: String?
  /// Added to every element.
  var addend = 0.0

  static func tensor(_ names: String...) -> TensorRecipe { TensorRecipe(parts: [Part(names: names)]) }

  static func rows(_ range: Range<Int>, of count: Int, _ name: String) -> TensorRecipe {
    TensorRecipe(parts: [Part(names: [name], rows: (range, count))])
  }

  static func stack(_ names: [String]) -> TensorRecipe { TensorRecipe(parts: names.map { Part(names: [$0]) }) }
}
