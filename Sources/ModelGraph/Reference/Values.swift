/// The residual stream of one position: int64 x[d], real value x_c · 2^-F.
public struct Residual: Sendable, Equatable {
  public var x: [Int]
  public init(_ x: [Int]) { self.x = x }
  /// X of the specification: no element is ever larger in magnitude.
  public static let limit = (1 << 46) - 1
}

/// int16 q[n] and one exponent: real value q_c · 2^exponent.
public struct Act16: Sendable, Equatable {
  public var q: [Int16]
  public var exponent: Int
  public init(_ q: [Int16], exponent: Int) {
    self.q = q
    self.exponent = exponent
  }
}

/// int32 t[n] and one exponent: real value t_c · 2^exponent.
public struct Act32: Sendable, Equatable {
  public var t: [Int32]
  public var exponent: Int
  public init(_ t: [Int32], exponent: Int) {
    self.t = t
    self.exponent = exponent
  }
}

/// int16 q[heads][headDimension] and an exponent per head.
public struct Heads16: Sendable, Equatable {
  public var q: [Int16]
  /// Shape: heads.
  public var exponents: [Int]
  public init(_ q: [Int16], exponents: [Int]) {
    self.q = q
    self.exponents = exponents
  }
}

/// int32 t[heads][headDimension] and an exponent per head.
public struct Heads32: Sendable, Equatable {
  public var t: [Int32]
  /// Shape: heads.
  public var exponents: [Int]
  public init(_ t: [Int32], exponents: [Int]) {
    self.t = t
    self.exponents = exponents
  }
}

/// The experts that a position uses, one per slot: an id and the expert's share, in units of 2^-24.
public struct Routes: Sendable, Equatable {
  public var ids: [Int32]
  public var shares: [Int32]
  public init(ids: [Int32], shares: [Int32]) {
    self.ids = ids
    self.shares = shares
  }
}

/// What a node of the graph yields at one token position.
///
/// Source: docs/spec/arithmetic.md, section 2.
public enum Value: Sendable, Equatable {
  case residual(Residual)
  case act16(Act16)
  case act32(Act32)
  case heads16(Heads16)
  case heads32(Heads32)
  case routes(Routes)
}

/// What the model says about the next token: mantissas, and the exponent they share.
public struct Logits: Sendable, Equatable {
  /// Shape: vocabularySize.
  public var values: [Int32]
  public var exponent: Int
  public init(values: [Int32], exponent: Int) {
    self.values = values
    self.exponent = exponent
  }
}
