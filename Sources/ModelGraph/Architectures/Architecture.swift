/// What an architecture is: what its configuration may have, and the graph it makes.
///
/// docs/adding-an-architecture.md adds one step by step.
public protocol Architecture: Sendable {
  /// What a configuration may and must have beyond the members that every model has.
  var rules: ConfigurationRules { get }
  /// Appends the graph's nodes, and with them the tensors that they read.
  ///
  /// - Parameter b: its configuration has been checked against the rules and the bounds.
  func build(_ b: inout GraphBuilder)
}

extension Architecture {
  /// Role, name and shape of every tensor, no more and no fewer.
  ///
  /// - Parameter config: checked, as by ``ModelManifest/checkConfiguration()``.
  public func tensors(_ config: ModelConfiguration) -> [TensorShape] { built(config).tensors }

  /// - Parameter config: checked, as by ``ModelManifest/checkConfiguration()``.
  public func graph(_ config: ModelConfiguration) -> Graph { built(config).graph }

  func built(_ config: ModelConfiguration) -> GraphBuilder {
    var builder = GraphBuilder(config: config)
    build(&builder)
    return builder
  }
}
