import ModelFiles
public import Transparency

/// Where a log's files are read from. Nothing of what it gives is believed.
public protocol LogSource: Sendable {
  /// For people: the folder or the address.
  var place: String { get }

  /// - Parameters:
  ///   - path: below the log's prefix, such as `checkpoint` or `tile/0/000`.
  ///   - bytesMax: more is refused before it is held.
  /// - Returns: nil if there is nothing under that path.
  /// - Throws: ``LogReadError``, and nothing else.
  func read(_ path: String, bytesMax: Int) async throws -> [UInt8]?

  /// Which partial tiles lie beside a full one; nil if that cannot be known.
  func partialWidths(of full: TilePath) throws(LogReadError) -> [Int]?
}

/// Why a file of a log is not at hand.
public enum LogReadError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The network or the disk, not the log, is at fault.
  case failed(place: String, reason: String)
  /// Longer than any file of its kind.
  case tooLong(path: String, bytesMax: Int)

  public var description: String {
    switch self {
    case .failed(let place, let reason): "\(place) cannot be read: \(reason)"
    case .tooLong(let path, let max): "\(path) is longer than the \(max) bytes that such a file can have"
    }
  }
}

/// A log's folder or its address, whichever the text is.
public enum LogPlace {
  /// - Throws: ``LogReadError/failed(place:reason:)`` if it looks like an address and is none, or is no folder.
  public static func source(_ text: String) throws(LogReadError) -> any LogSource {
    if text.contains("://") { return try HTTPSource(text) }
    let kind: FileSystem.Kind?
    do { kind = try FileSystem.kind(of: text) } catch { throw .failed(place: text, reason: "\(error)") }
    guard kind == .directory else {
      throw .failed(place: text, reason: kind == nil ? "there is no such folder" : "it is not a folder")
    }
    return FolderSource(folder: text)
  }
}
