import Foundation
import Receipts

/// Evidence, or a log's files, from a path or stdin.
enum EvidenceInput {
  /// The whole file, unless it is larger than any evidence can be.
  static func read(_ path: String) throws -> [UInt8] {
    let handle: FileHandle
    if path == "-" {
      handle = .standardInput
    } else {
      guard let opened = FileHandle(forReadingAtPath: path) else {
        throw CommandFailure(
          "there is no readable file \(path)", hint: "fetch it with: curl URL/v1/receipts/ID > \(path)")
      }
      handle = opened
    }
    do {
      // One byte over the limit is enough for the verifier to say that the file is too long.
      return Array(try handle.read(upToCount: EvidenceLimits.fileBytesMax + 1) ?? Data())
    } catch {
      throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")
    }
  }
}
