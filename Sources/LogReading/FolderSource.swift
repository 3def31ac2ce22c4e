import ModelFiles
public import Transparency

/// A log's folder on this machine. Nothing is changed in it, and a log that is being written can be read.
public struct FolderSource: LogSource {
  public let place: String

  public init(folder: String) { place = folder }

  public func read(_ path: String, bytesMax: Int) async throws -> [UInt8]? {
    let full = place + "/" + path
    do { return try FileSystem.contents(of: full, bytesMax: bytesMax) } catch let failure as FileFailure {
      if failure.isMissing { return nil }
      throw LogReadError.failed(place: full, reason: "\(failure)")
    } catch is FileTooLarge {
      throw LogReadError.tooLong(path: path, bytesMax: bytesMax)
    } catch { throw LogReadError.failed(place: full, reason: "\(error)") }
  }

  public func partialWidths(of full: TilePath) throws(LogReadError) -> [Int]? {
    let folder = place + "/" + full.description + ".p"
    do throws(FileFailure) {
      return try FileSystem.names(in: folder).compactMap { Int($0) }.filter { (1..<TilePath.widthMax).contains($0) }
        .sorted()
    } catch { throw .failed(place: folder, reason: "\(error)") }
  }
}
