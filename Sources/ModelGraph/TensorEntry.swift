/// One tensor's place in the weights blob.
public struct TensorEntry: Sendable, Equatable {
  /// Source: docs/spec/model.md, "Tensors".
  public enum Kind: String, Sendable, CaseIterable {
    /// int8 [out, in] with a u32 multiplier per output.
    case linear8
    /// 4 bits [out, in] with a u16 multiplier per 32 inputs and a u32 multiplier per output.
    case linear4
    /// The same with a u16 minimum per 32 inputs.
    case linear4m
    /// int16 [out, in] with a u32 multiplier per output.
    case linear16
    /// int16 [rows, columns] with a u32 multiplier per row.
    case table16
    /// int32 [n].
    case gain
    /// int32 [n].
    case bias
  }

  public var name: String
  public var kind: Kind
  public var shape: [Int]
  /// f: the real value is integer · multiplier · 2^-f.
  public var exponent: Int
  public var offset: Int
  public var bytes: Int

  public init(name: String, kind: Kind, shape: [Int], exponent: Int, offset: Int, bytes: Int) {
    self.name = name
    self.kind = kind
    self.shape = shape
    self.exponent = exponent
    self.offset = offset
    self.bytes = bytes
  }

  /// The sizes in bytes of the parts of which a tensor of that kind consists, one after another, each at the
  /// first multiple of 64 after the one before: values, group multipliers, group minimums, multipliers.
  ///
  /// - Returns: nil when the shape is not one of that kind, or too large.
  public static func parts(kind: Kind, shape: [Int]) -> [Int]? {
    let sizeMax = 1 << 31
    guard shape.allSatisfy({ $0 > 0 && $0 <= sizeMax }) else { return nil }
    switch (kind, shape.count) {
    case (.gain, 1), (.bias, 1): return [4 * shape[0]]
    case (.linear8, 2): return [shape[0] * shape[1], 4 * shape[0]]
    case (.linear4, 2), (.linear4m, 2):
      guard shape[1] % Linear4.groupSize == 0 else { return nil }
      let groups = 2 * (shape[0] * shape[1] / Linear4.groupSize)
      return [shape[0] * shape[1] / 2, groups] + (kind == .linear4m ? [groups] : []) + [4 * shape[0]]
    case (.linear16, 2), (.table16, 2):
      let (values, overflow) = (shape[0] * shape[1]).multipliedReportingOverflow(by: 2)
      return overflow || values > Int.max - 64 - 4 * shape[0] ? nil : [values, 4 * shape[0]]
    default: return nil
    }
  }

  /// The extent that kind and shape prescribe; nil when the shape is not one of that kind or too large.
  public static func bytes(kind: Kind, shape: [Int]) -> Int? {
    parts(kind: kind, shape: shape).map { $0.reduce(0) { paddedTo64($0) + $1 } }
  }

  /// Where the parts lie in the weights. Of a checked tensor only.
  var parts: [Range<Int>] {
    var start = offset
    return (TensorEntry.parts(kind: kind, shape: shape) ?? []).map { count in
      defer { start += TensorEntry.paddedTo64(count) }
      return start..<(start + count)
    }
  }

  /// Where the padding between parts lies, in the weights. Of a checked tensor only.
  var paddings: [Range<Int>] {
    let parts = parts
    return zip(parts, parts.dropFirst()).map { $0.upperBound..<$1.lowerBound }
  }

  public static func paddedTo64(_ n: Int) -> Int { (n + 63) & ~63 }
}
