import ModelGraph

/// A family whose tensors are called as Llama's, but for some of those of a layer.
protocol DecoderFamily: CheckpointFamily {
  /// Where a tensor of a layer comes from.
  ///
  /// - Parameters:
  ///   - layer: what names of this layer begin with, up to the dot.
  func layerRecipe(for target: TensorName, layer: String, _ config: ModelConfiguration) -> TensorRecipe
}

extension DecoderFamily {
  func recipe(for target: TensorName, _ config: ModelConfiguration) -> TensorRecipe {
    decoderRecipe(for: target, config)
  }

  func decoderRecipe(for target: TensorName, _ config: ModelConfiguration) -> TensorRecipe {
    if let n = target.layer { return layerRecipe(for: target, layer: "model.layers.\(n).", config) }
    guard target.part == "lm_head" else { return .tensor("model.\(target.part).weight") }
    // Tied weights may be stored under either name.
    return config.tiedEmbeddings
      ? .tensor("model.embed_tokens.weight", "lm_head.weight") : .tensor("lm_head.weight")
  }

  func layerRecipe(for target: TensorName, layer: String, _ config: ModelConfiguration) -> TensorRecipe {
    plainLayerRecipe(for: target, layer: layer)
  }

  /// Llama's names.
  func plainLayerRecipe(for target: TensorName, layer: String) -> TensorRecipe {
    let group =
      switch target.part {
      case "q_proj", "k_proj", "v_proj", "o_proj", "q_norm", "k_norm": "self_attn."
      case "gate_proj", "up_proj", "down_proj": "mlp."
      default: ""
      }
    return .tensor("\(layer)\(group)\(target.part).\(target.kind)")
  }
}
