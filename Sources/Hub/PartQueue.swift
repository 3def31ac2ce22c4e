import ModelFiles

/// Hands out what is still missing of several files to several connections, lowest bytes first.
///
/// The first part of a file shows whether its server sends ranges; only then others are handed out.
package actor PartQueue {
  package struct Part: Equatable, Sendable {
    /// Index of the file.
    package let file: Int
    package let range: Range<Int>
    /// Whether nobody asked for this file before.
    package let isProbe: Bool

    package init(file: Int, range: Range<Int>, isProbe: Bool) {
      self.file = file
      self.range = range
      self.isProbe = isProbe
    }
  }

  private enum Mode { case untried, probing, ranges, whole }
  private struct Entry {
    /// Descending, so that the next is the last.
    var pending: [Range<Int>]
    var mode = Mode.untried
    var working = 0
  }

  private var entries: [Entry]
  private var waiting: [CheckedContinuation<Part?, Never>] = []
  private var isClosed = false
  private let partBytes: Int

  package init(missing: [[Range<Int>]], partBytes: Int) {
    self.partBytes = partBytes
    entries = missing.map { Entry(pending: PartQueue.split($0, partBytes)) }
  }

  package static func split(_ ranges: [Range<Int>], _ partBytes: Int) -> [Range<Int>] {
    ranges.flatMap { range in
      stride(from: range.lowerBound, to: range.upperBound, by: partBytes).map {
        $0..<min($0 + partBytes, range.upperBound)
      }
    }.reversed()
  }

  /// The next part; nil when there is nothing left to do. Waits while others may still find work.
  package func next() async -> Part? {
    if let part = take() { return part }
    if isDone { return nil }
    return await withCheckedContinuation { waiting.append($0) }
  }

  private var isDone: Bool { isClosed || entries.allSatisfy { $0.pending.isEmpty && $0.working == 0 } }

  private func take() -> Part? {
    guard !isClosed else { return nil }
    for i in entries.indices where !entries[i].pending.isEmpty {
      switch entries[i].mode {
      case .untried:
        entries[i].mode = .probing
        entries[i].working += 1
        return Part(file: i, range: entries[i].pending.removeLast(), isProbe: true)
      case .ranges:
        entries[i].working += 1
        return Part(file: i, range: entries[i].pending.removeLast(), isProbe: false)
      case .probing, .whole: continue
      }
    }
    return nil
  }

  /// The server of a file sends ranges.
  package func sendsRanges(_ file: Int) {
    if entries[file].mode == .probing { entries[file].mode = .ranges }
    wake()
  }

  /// The server of a file sends it whole or not at all: whoever asked takes all of it.
  package func sendsWhole(_ file: Int) {
    entries[file].mode = .whole
    entries[file].pending = []
    wake()
  }

  /// Whether a file is complete as soon as this part is finished.
  package func isLast(_ part: Part) -> Bool { entries[part.file].working == 1 && entries[part.file].pending.isEmpty }

  package func finished(_ part: Part) {
    entries[part.file].working -= 1
    wake()
  }

  /// Hands out nothing more of a part's file.
  ///
  /// - Returns: false when others are at work on it.
  package func withdraw(_ part: Part) -> Bool {
    guard entries[part.file].working == 1 else { return false }
    entries[part.file].mode = .probing
    entries[part.file].pending = []
    return true
  }

  /// The part's holder, the only one at work on its file, found that the file must be fetched anew.
  package func restart(_ part: Part, missing: [Range<Int>]) {
    entries[part.file] = Entry(pending: PartQueue.split(missing, partBytes))
    wake()
  }

  /// Nothing more is handed out: somebody failed.
  package func close() {
    isClosed = true
    wake()
  }

  private func wake() {
    while !waiting.isEmpty {
      if let part = take() {
        waiting.removeFirst().resume(returning: part)
      } else if isDone {
        let all = waiting
        waiting = []
        for one in all { one.resume(returning: nil) }
      } else {
        return
      }
    }
  }
}
