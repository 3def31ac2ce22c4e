/// Tensors of a GGUF file under the names that `transformers` gives them, with what the converter did undone.
struct GGUFTensorNames {
  private let architecture: GGUFArchitecture
  private let configuration: GGUFConfiguration

  init(_ configuration: GGUFConfiguration) {
    self.configuration = configuration
    architecture = configuration.architecture
  }

  /// The tensors that one tensor of the file stands for: none, one, or those it was fused or stacked from.
  func translate(_ tensor: SourceTensor) throws(GGUFRejection) -> [SourceTensor] {
    // What became part of config.json.
    if ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"].contains(tensor.name) {
      return []
    }
    let parts = tensor.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, let name = architecture.names[parts[0]], GGUFTensorNames.isKind(parts[1]) {
      return [try shifted(tensor, parts[0]).named("\(name).\(parts[1])")]
    }
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), String(layer) == parts[1],
      (0..<configuration.layers).contains(layer), GGUFTensorNames.isKind(parts[3])
    else { throw unknown(tensor) }
    let prefix = "\(architecture.layerPrefix)\(layer)."
    let (part, kind) = (parts[2], parts[3])
    // Old files store what rope_theta already says.
    if part == "attn_rot_embd" { return [] }
    if let name = architecture.layerNames[part] {
      let undone = try shifted(ordered(tensor, part), part)
      return [undone.named("\(prefix)\(name).\(kind)")]
    }
    if part == "attn_qkv" {
      var pieces: [SourceTensor] = []
      for piece in try split(tensor) {
        guard let name = architecture.layerNames[piece.part] else { throw unknown(tensor) }
        pieces.append(try ordered(piece.tensor, piece.part).named("\(prefix)\(name).\(kind)"))
      }
      return pieces
    }
    if part.utf8.hasSuffix("_exps"), kind == "weight" { return try unstacked(tensor, part, prefix) }
    throw unknown(tensor)
  }

  private static func isKind(_ word: String) -> Bool { word == "weight" || word == "bias" }

  private func unknown(_ tensor: SourceTensor) -> GGUFRejection {
    .unknownTensor(file: tensor.file, tensor: tensor.name, architecture: architecture.name)
  }

  // MARK: Norms

  /// w where the converter stored 1 + w. In binary32 the difference is exact for every sum that the converter
  /// could have rounded, so that adding 1 again gives the stored number.
  private func shifted(_ tensor: SourceTensor, _ part: String) throws(GGUFRejection) -> SourceTensor {
    architecture.shiftsNorms && part.utf8.hasSuffix("norm") ? tensor.adding(-1) : tensor
  }

  // MARK: Heads

  /// Rows of q and k in the order of `transformers`, which rotates element i with element i + half, where the
  /// converter of some architectures put them side by side.
  private func ordered(_ tensor: SourceTensor, _ part: String) throws(GGUFRejection) -> SourceTensor {
    guard architecture.interleavesHeads, part == "attn_q" || part == "attn_k" else { return tensor }
    let heads = part == "attn_q" ? configuration.heads : configuration.keyValueHeads
    let size = configuration.headDimension
    try require(outputs: heads * size, of: tensor)
    guard size % 2 == 0 else { return tensor }
    var order: [Int] = []
    order.reserveCapacity(heads * size)
    for head in 0..<heads {
      for half in 0..<2 {
        for i in 0..<(size / 2) { order.append(head * size + 2 * i + half) }
      }
    }
    return tensor.shape.count == 1 ? tensor.permutedElements(order) : tensor.permutedRows(order)
  }

  /// The rows of q, k and v that follow each other in one tensor.
  private func split(_ tensor: SourceTensor) throws(GGUFRejection) -> [(tensor: SourceTensor, part: String)] {
    let query = configuration.heads * configuration.headDimension
    let keyValue = configuration.keyValueHeads * configuration.headDimension
    try require(outputs: query + 2 * keyValue, of: tensor)
    return [
      (0..<query, "attn_q"), (query..<(query + keyValue), "attn_k"),
      ((query + keyValue)..<(query + 2 * keyValue), "attn_v"),
    ].map { (range: Range<Int>, part: String) in
      (tensor.shape.count == 1 ? tensor.elements(range) : tensor.rows(range), part)
    }
  }

  /// Refuses a matrix of another number of rows, or a vector of another length.
  private func require(outputs: Int, of tensor: SourceTensor) throws(GGUFRejection) {
    guard tensor.shape.count == 1 || tensor.shape.count == 2, tensor.shape[0] == outputs else {
      throw .tensor(
        file: tensor.file, tensor: tensor.name,
        problem: "has shape \(tensor.shape); heads and head dimension make it \(outputs) rows")
    }
    if tensor.shape.count == 1, case .blocks = tensor.encoding {
      throw .tensor(file: tensor.file, tensor: tensor.name, problem: "is a quantised vector; convert the model again")
    }
  }

  // MARK: Experts

  /// One matrix per expert of a tensor [experts, out, in].
  private func unstacked(
    _ tensor: SourceTensor, _ part: String, _ prefix: String
  ) throws(GGUFRejection) -> [SourceTensor] {
    guard let experts = architecture.experts else { throw unknown(tensor) }
    guard tensor.shape.count == 3, tensor.shape[0] == configuration.experts else {
      throw .tensor(
        file: tensor.file, tensor: tensor.name,
        problem: "has shape \(tensor.shape); it should be \(configuration.experts) matrices")
    }
    func named(_ tensor: SourceTensor, _ expert: Int, _ name: String) -> SourceTensor {
      tensor.named("\(prefix)\(experts.prefix)\(expert).\(name).weight")
    }
    let names = ["ffn_gate_exps": experts.gate, "ffn_up_exps": experts.up, "ffn_down_exps": experts.down]
    if let name = names[part] { return (0..<configuration.experts).map { named(tensor.slice($0), $0, name) } }
    guard part == "ffn_gate_up_exps", tensor.shape[1] % 2 == 0 else { throw unknown(tensor) }
    let half = tensor.shape[1] / 2
    return (0..<configuration.experts).flatMap { expert in
      let both = tensor.slice(expert)
      return [
        named(both.rows(0..<half), expert, experts.gate), named(both.rows(half..<(2 * half)), expert, experts.up),
      ]
    }
  }
}
