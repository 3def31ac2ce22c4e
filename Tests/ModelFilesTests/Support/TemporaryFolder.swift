import Foundation

/// A folder that goes away with the test process.
final class TemporaryFolder: Sendable {
  let path: String

  private static let base: String = {
    let base = NSTemporaryDirectory() + "evident-model-files-\(ProcessInfo.processInfo.processIdentifier)"
    atexit { try? FileManager.default.removeItem(atPath: TemporaryFolder.base) }
    return base
  }()

  init() {
    path = TemporaryFolder.base + "/" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], _ name: String) -> String {
    // Not FileManager, which waits for the disk.
    let target = path + "/" + name
    let file = fopen(target, "wb")!
    precondition(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    fclose(file)
    return target
  }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

  func read(_ name: String) -> [UInt8] { Array(FileManager.default.contents(atPath: path + "/" + name) ?? Data()) }
}

/// Files that are committed beside the tests.
enum Fixtures {
  static func path(_ name: String) -> String {
    let here = (#filePath as NSString).deletingLastPathComponent
    return (here as NSString).deletingLastPathComponent + "/Fixtures/" + name
  }

  static func bytes(_ name: String) -> [UInt8] { Array(FileManager.default.contents(atPath: path(name)) ?? Data()) }
}
