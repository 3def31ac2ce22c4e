/// A tensor that an architecture needs.
public struct TensorShape: Sendable, Equatable {
  /// What the graph does with it.
  public enum Role: Sendable, Equatable {
    /// A linear weight in any of the formats.
    case linear
    /// The same for the head, which importers leave in 8 bits unless they are told or the file has it in 4.
    case head
    case linear8, table16, gain, bias
  }

  public let name: String
  public let role: Role
  public let shape: [Int]

  public init(_ name: String, _ role: Role, _ shape: [Int]) {
    self.name = name
    self.role = role
    self.shape = shape
  }

  /// The formats in which a model may have it.
  public var kinds: [TensorEntry.Kind] {
    switch role {
    case .linear, .head: [.linear8, .linear4, .linear4m, .linear16]
    case .linear8: [.linear8]
    case .table16: [.table16]
    case .gain: [.gain]
    case .bias: [.bias]
    }
  }

  /// Its format in a model of 8-bit weights.
  public var kind: TensorEntry.Kind { kinds[0] }
}
