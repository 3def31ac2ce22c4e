import Foundation
import ModelGraph
import Testing

@Suite struct ArchitectureTests {
  /// The tensors that an operator reads.
  static func tensors(of op: Operator) -> [String] {
    switch op {
    case .embed(let table, _, _), .embedPosition(let table): [table]
    case .rmsNorm(let gain), .normHeads(_, let gain, _): [gain]
    case .layerNorm(let gain, let bias): [gain, bias]
    case .linear(let weight), .expertLinear(let weight, _), .expertSum(let weight, _): [weight]
    case .addBias(let bias): [bias]
    case .quantise, .rope, .quantiseHeads, .attention, .mergeHeads, .gated, .activate, .add, .addResiduals, .route,
      .softcap:
      []
    }
  }

  @Test(arguments: Architectures.all.keys.sorted())
  func aGraphReadsExactlyItsTensors(architecture: String) {
    var random = SeededRandom.forTest()
    for _ in 0..<10 {
      let config = RandomModel.configuration(of: architecture, &random)
      let built = Architectures.all[architecture]!
      let graph = built.graph(config)
      let tensors = built.tensors(config)
      #expect(Set(tensors.map(\.name)) == Set(graph.nodes.flatMap { ArchitectureTests.tensors(of: $0.op) }))
      #expect(Set(tensors.map(\.name)).count == tensors.count)
      #expect(Set(graph.nodes.map(\.name)).count == graph.nodes.count)
      #expect(graph.caches == config.layers)
      #expect(graph.nodes.allSatisfy { $0.width > 0 })
      // Every value but the last is used.
      let read = Set(graph.nodes.flatMap(\.inputs))
      #expect(graph.nodes.indices.filter { !read.contains($0) } == [graph.output])
    }
  }

  /// What section 6 calls the plain graph is what architectures have in common.
  @Test func withoutTheirMembersDecodersAreTheSame() {
    let config = RandomModel.configuration(layers: 3)
    let llama = Architectures.all["llama"]!
    for other in ["mistral", "phi3", "qwen2", "smollm3"] {
      #expect(Architectures.all[other]!.graph(config) == llama.graph(config))
      #expect(Architectures.all[other]!.tensors(config) == llama.tensors(config))
    }
    let names = llama.graph(config).nodes.map(\.name)
    #expect(
      Array(names.prefix(20)) == ["embed"]
        + [
          "attn_norm", "q", "k", "v", "q_rope", "k_rope", "q_heads", "k_heads", "v_heads", "attn", "attn_merged", "o",
          "attn_out", "mlp_norm", "gate", "up", "hidden", "down", "mlp_out",
        ].map { "layers.0.\($0)" })
  }

  /// Windows and frequencies are those of the layer.
  @Test func localLayers() {
    var random = SeededRandom.forTest()
    var config = RandomModel.configuration(of: "gemma3", &random)
    (config.localLayers, config.window) = ([0, 2], 4)
    for (architecture, local) in [("gemma3", RopeTable.local), ("gemma2", .global), ("mistral", .global)] {
      let graph = Architectures.all[architecture]!.graph(config)
      for node in graph.nodes {
        let isLocal = node.name.hasPrefix("layers.0.") || node.name.hasPrefix("layers.2.")
        if case .attention(let attention) = node.op { #expect(attention.window == (isLocal ? 4 : nil)) }
        if case .rope(_, let table) = node.op { #expect(table == (isLocal ? local : .global)) }
      }
    }
  }

  @Test func capsAndEpsilons() {
    var random = SeededRandom.forTest()
    var config = RandomModel.configuration(of: "gemma3", &random)
    // As wide as the model: only the epsilon tells them apart.
    (config.heads, config.keyValueHeads, config.headDimension) = (1, 1, 64)
    (config.logitsSoftcap, config.attentionSoftcap) = (30 << 16, 1 << 20)
    let graph = Architectures.all["gemma3"]!.graph(config)
    for node in graph.nodes {
      guard case .normHeads(let heads, _, let epsilon) = node.op else { continue }
      let ofHeads = node.name.hasSuffix("q_normed") || node.name.hasSuffix("k_normed")
      #expect(heads == 1 && epsilon == (ofHeads ? config.headNormEpsilon! : config.normEpsilon))
    }
    #expect(graph.nodes[graph.output].op == .softcap(cap: 30 << 16))
    #expect(graph.nodes[graph.logits].name == "logits" && graph.nodes[graph.output].name == "logits_capped")
    config.logitsSoftcap = nil
    let uncapped = Architectures.all["gemma3"]!.graph(config)
    #expect(uncapped.logits == uncapped.output)
  }

  /// docs/adding-an-architecture.md shows a file that compiles and builds what the text says.
  @Test func theExampleInTheDocumentation() throws {
    let source = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "ExampleArchitecture.swift"), encoding: .utf8)
    let example = source.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2).joined(separator: "\n")
    let page = try String(contentsOf: Oracle.root.appending(path: "docs/adding-an-architecture.md"), encoding: .utf8)
    #expect(example.count > 200 && page.contains("```swift\n\(example)```"))
    var config = RandomModel.configuration(layers: 1)
    config.headNormEpsilon = 7
    let names = Tidal().graph(config).nodes.map(\.name)
    for name in ["q_normed", "k_normed", "o_normed", "down_normed"] { #expect(names.contains("layers.0.\(name)")) }
    for name in ["q_norm", "k_norm", "post_attention_norm", "post_feedforward_norm"] {
      #expect(Tidal().tensors(config).contains { $0.name == "layers.0.\(name)" && $0.role == .gain })
    }
  }
}
