/// What an architecture is: the tensors it needs and the graph they make.
public protocol Architecture: Sendable {
  /// Kind, name and shape of every tensor, no more and no fewer.
  func tensors(_ config: ModelConfiguration) -> [TensorShape]
  func graph(_ config: ModelConfiguration) -> Graph
}

/// A tensor that an architecture needs.
public struct TensorShape: Sendable, Equatable {
  public let name: String
  public let kind: TensorEntry.Kind
  public let shape: [Int]

  public init(_ name: String, _ kind: TensorEntry.Kind, _ shape: Int...) {
    self.name = name
    self.kind = kind
    self.shape = shape
  }
}

/// The registry: one line per architecture.
public enum Architectures {
  public static let all: [String: any Architecture] = [
    "llama": Llama()
  ]
}
