import ModelGraph
import Testing

/// Products with experts, in every weight format, against the literal transcription.
@Suite struct ExpertTests {
  typealias Op = ReferenceOperators

  @Test(arguments: [TensorEntry.Kind.linear8, .linear4, .linear4m], [false, true])
  func expertProducts(kind: TensorEntry.Kind, wild: Bool) throws {
    var random = SeededRandom.forTest()
    for _ in 0..<6 {
      let config = RandomModel.configuration(of: "mixtral", &random)
      let image = try RandomModel(
        architecture: "mixtral", config: config, content: wild ? .wild : .ordinary, formats: [kind]
      ).image(&random)
      let up = image.linear("layers.0.experts.up_proj")
      let down = image.linear("layers.0.experts.down_proj")
      let experts = config.experts!
      for slots in 1...experts {
        let routes = Routes(
          ids: Array((0..<Int32(experts)).shuffled(using: &random)[..<slots]),
          shares: (0..<slots).map { _ in Int32(abs(random.spread(1 << 24))) })
        let x = act16(up.columns, &random)
        #expect(
          Op.expertLinear(x, routes, up, experts: experts)
            == Literal.expertLinear(x, routes, LiteralWeight(up), experts))
        let hidden = act16(slots * down.columns, &random)
        let out = Op.expertSum(hidden, routes, down, experts: experts)
        #expect(out == Literal.expertSum(hidden, routes, LiteralWeight(down), experts))
        #expect(out.t.allSatisfy { abs(Int($0)) < 1 << 30 })
      }
    }
  }

  /// One expert with the whole share is a plain product.
  @Test func oneExpertIsAPlainProduct() throws {
    var random = SeededRandom.forTest()
    var config = RandomModel.configuration(of: "mixtral", &random)
    (config.experts, config.expertsPerToken) = (1, 1)
    let image = try RandomModel(architecture: "mixtral", config: config).image(&random)
    let down = image.linear("layers.0.experts.down_proj")
    let routes = Op.route(Act32([17], exponent: 3), slots: 1, sharesOfAll: false)
    #expect(routes == Routes(ids: [0], shares: [1 << 24]))
    let x = act16(down.columns, &random)
    #expect(Op.expertSum(x, routes, down, experts: 1) == Op.linear([x], down)[0])
    #expect(Op.expertLinear(x, routes, down, experts: 1) == Op.linear([x], down)[0])
  }

  private func act16(_ n: Int, _ random: inout SeededRandom) -> Act16 {
    Act16((0..<n).map { _ in Int16(random.spread(32767)) }, exponent: random.spread(40))
  }
}
