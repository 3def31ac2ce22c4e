import Foundation

/// What clients may take of a server by doing nothing.
public enum ConnectionLimits {
  /// A connection without a whole request is closed when no byte has come for so long: longer than clients keep theirs
  /// for the next request, 60 s.
  public static let idleSecondsMax: Int64 = 75

  /// At once; others wait in the system's queue. At most half of the files that the process may open, so that there are
  /// some for what it does: a server that cannot accept for want of them tries again without a pause.
  public static func connections(atMost most: Int) -> Int {
    var limit = rlimit()
    #if canImport(Glibc)
      let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    #else
      let isKnown = getrlimit(RLIMIT_NOFILE, &limit) == 0
    #endif
    return isKnown ? Int(min(limit.rlim_cur / 2, rlim_t(most))) : min(most, 512)
  }
}
