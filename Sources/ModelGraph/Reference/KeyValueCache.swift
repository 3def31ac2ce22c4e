/// What attention remembers of the positions so far, for one attention node.
public struct KeyValueCache: Sendable, Equatable {
  package internal(set) var keys = HeadSequence()
  package internal(set) var values = HeadSequence()

  package init() {}

  package mutating func append(keys k: Heads16, values v: Heads16) {
    keys.append(k)
    values.append(v)
  }

  /// Positions that it holds.
  var count: Int { keys.count }

  mutating func truncate(to count: Int) {
    keys.truncate(to: count)
    values.truncate(to: count)
  }
}

/// heads16 values of consecutive positions.
package struct HeadSequence: Sendable, Equatable {
  /// Shape: positions × heads × headDimension.
  private var q: [Int16] = []
  /// Shape: positions × heads.
  private var exponents: [Int] = []
  private var heads = 1
  private var headDimension = 1

  package var count: Int { exponents.count / heads }

  mutating func append(_ value: Heads16) {
    heads = value.exponents.count
    headDimension = value.q.count / heads
    q += value.q
    exponents += value.exponents
  }

  mutating func truncate(to count: Int) {
    q.removeLast(q.count - count * heads * headDimension)
    exponents.removeLast(exponents.count - count * heads)
  }

  func exponent(_ head: Int, at position: Int) -> Int { exponents[position * heads + head] }

  func head(_ head: Int, at position: Int) -> (q: ArraySlice<Int16>, exponent: Int) {
    let index = position * heads + head
    return (q[(index * headDimension)..<((index + 1) * headDimension)], exponents[index])
  }
}
