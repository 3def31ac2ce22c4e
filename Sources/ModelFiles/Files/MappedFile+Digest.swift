import Digests

extension MappedFile {
  /// SHA-256 of a part of the file, whose pages are given back on the way, so that hashing a model does not
  /// take its size in memory.
  ///
  /// - Parameter progress: called with the number of bytes done since the last call.
  func digest<Subject>(
    _ range: Range<Int>, as _: Subject.Type = Subject.self, progress: (Int) throws -> Void = { _ in }
  ) rethrows -> Digest<Subject> {
    var digest = StreamingDigest<Subject>()
    for from in stride(from: range.lowerBound, to: range.upperBound, by: 16 << 20) {
      let part = from..<min(from + (16 << 20), range.upperBound)
      digest.update(UnsafeRawBufferPointer(rebasing: buffer[part]))
      release(part)
      try progress(part.count)
    }
    return digest.finalized()
  }
}
