/// Finds the earliest stop string, in time linear in the text (Knuth, Morris and Pratt, 1977).
package struct StopSearch {
  private let stops: [[UInt8]]
  /// For each stop string and each length: the longest proper prefix that is also a suffix.
  private let borders: [[Int]]

  package init(_ stops: [String]) {
    self.stops = stops.map { Array($0.utf8) }
    borders = self.stops.map(StopSearch.borders)
  }

  /// Where the earliest occurrence of any stop string begins.
  package func first(in bytes: [UInt8]) -> Int? {
    var earliest: Int?
    for (stop, border) in zip(stops, borders) where !stop.isEmpty {
      var matched = 0
      for (i, byte) in bytes.enumerated() {
        while matched > 0 && stop[matched] != byte { matched = border[matched - 1] }
        if stop[matched] == byte { matched += 1 }
        if matched == stop.count {
          let start = i + 1 - stop.count
          earliest = min(earliest ?? start, start)
          break
        }
      }
    }
    return earliest
  }

  private static func borders(_ stop: [UInt8]) -> [Int] {
    var out = [Int](repeating: 0, count: stop.count)
    var length = 0
    for i in stop.indices.dropFirst() {
      while length > 0 && stop[i] != stop[length] { length = out[length - 1] }
      if stop[i] == stop[length] { length += 1 }
      out[i] = length
    }
    return out
  }
}
