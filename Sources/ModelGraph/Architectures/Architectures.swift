/// What an architecture is: the tensors it needs and the graph they make.
public protocol Architecture: Sendable {
  /// Role, name and shape of every tensor, no more and no fewer.
  func tensors(_ config: ModelConfiguration) -> [TensorShape]
  func graph(_ config: ModelConfiguration) -> Graph
}

/// The registry: one line per architecture.
public enum Architectures {
  public static let all: [String: any Architecture] = [
    "llama": Llama()
  ]
}
