public import ModelGraph

/// Logits in the engine's own memory, valid only during the call that hands them over.
public struct LogitsRow {
  /// Shape: vocabularySize.
  public let values: UnsafeBufferPointer<Int32>
  public let exponent: Int

  /// A copy that lasts.
  public var logits: Logits { Logits(values: Array(values), exponent: exponent) }

  /// Copies into memory that `logits` already has, where it fits.
  public func copy(to logits: inout Logits) {
    if logits.values.count != values.count { logits.values = [Int32](repeating: 0, count: values.count) }
    logits.values.withUnsafeMutableBufferPointer { target in
      guard let to = target.baseAddress, let from = values.baseAddress else { return }
      to.update(from: from, count: values.count)
    }
    logits.exponent = exponent
  }
}
