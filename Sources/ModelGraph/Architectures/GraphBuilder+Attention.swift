extension GraphBuilder {
  /// Queries, keys and values of x, and what the heads make of them: from `q` to `o` or `o_biased`.
  ///
  /// - Parameters:
  ///   - x: act16, what queries, keys and values are made from.
  ///   - headNorms: whether every head of queries and keys has a norm.
  ///   - rope: which frequencies turn queries and keys; nil for none.
  ///   - window: positions that a query sees; nil for all.
  ///   - causal: whether a query sees no later positions.
  package mutating func attentionHeads(
    _ n: Int, _ x: Int, headNorms: Bool = false, rope: RopeTable?, window: Int? = nil, causal: Bool
  ) -> Int {
    let layer = "layers.\(n)"
    let (heads, keyValueHeads) = (config.heads, config.keyValueHeads)
    var q = projection(layer, "q", .query, x, width: queryWidth)
    var k = projection(layer, "k", .key, x, width: keyValueWidth)
    let v = projection(layer, "v", .value, x, width: keyValueWidth)
    if headNorms {
      guard let epsilon = config.headNormEpsilon else { preconditionFailure("norms of heads require their epsilon") }
      q = normHeads("\(layer).q_normed", gain: "\(layer).q_norm", q, heads: heads, epsilon: epsilon)
      k = normHeads("\(layer).k_normed", gain: "\(layer).k_norm", k, heads: keyValueHeads, epsilon: epsilon)
    }
    if let rope {
      q = node("\(layer).q_rope", .rope(heads: heads, table: rope), q)
      k = node("\(layer).k_rope", .rope(heads: keyValueHeads, table: rope), k)
    }
    let queryLimit = HeadLimit.query(headDimension: config.headDimension)
    let qHeads = node("\(layer).q_heads", .quantiseHeads(heads: heads, limit: queryLimit), q)
    let kHeads = node("\(layer).k_heads", .quantiseHeads(heads: keyValueHeads, limit: HeadLimit.keyValue), k)
    let vHeads = node("\(layer).v_heads", .quantiseHeads(heads: keyValueHeads, limit: HeadLimit.keyValue), v)
    let attention = Attention(
      cache: n, heads: heads, keyValueHeads: keyValueHeads, window: window, softcap: config.attentionSoftcap,
      causal: causal)
    let attended = node("\(layer).attn", .attention(attention), qHeads, kHeads, vHeads)
    let merged = node("\(layer).attn_merged", .mergeHeads, attended)
    return projection(layer, "o", .output, merged, width: hiddenSize)
  }
}
