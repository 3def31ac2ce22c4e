import Foundation
import Synchronization
import Testing
import TransparencyLog

/// A folder that is removed with this.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appending(path: "evident-log-\(UUID().uuidString)").path()
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What every storage must do.
enum StorageConformance {
  static func check(_ storage: some LogStorage) throws {
    #expect(try storage.read("checkpoint") == nil && storage.read("tile/0/000") == nil)
    try storage.write([])
    let large = [UInt8](repeating: 7, count: 3 << 20)
    let files = [
      StoredFile(path: "checkpoint", bytes: Array("one".utf8)), StoredFile(path: "tile/0/000.p/1", bytes: [1]),
      StoredFile(path: "tile/0/000", bytes: large), StoredFile(path: "tile/0/x001/x234/067", bytes: []),
      StoredFile(path: "tile/entries/000.p/255", bytes: [0, 255]),
    ]
    try storage.write(files)
    for file in files { #expect(try storage.read(file.path) == file.bytes, "\(file.path)") }
    // Shorter ones replace longer ones; the last of two of one place stays.
    try storage.write([
      StoredFile(path: "tile/0/000", bytes: [9]), StoredFile(path: "checkpoint", bytes: [1, 2]),
      StoredFile(path: "checkpoint", bytes: [3]),
    ])
    #expect(try storage.read("tile/0/000") == [9] && storage.read("checkpoint") == [3])
    #expect(try storage.read("tile/0/000.p/1") == [1] && storage.read("tile/1/000") == nil)
    // A folder goes with what is in it and nothing beside it; one that is not there is gone already.
    try storage.removeFolder("tile/0/000.p")
    try storage.removeFolder("tile/7/000.p")
    #expect(try storage.read("tile/0/000.p/1") == nil && storage.read("tile/0/000") == [9])
    try storage.write([StoredFile(path: "tile/0/000.p/1", bytes: [2])])
    #expect(try storage.read("tile/0/000.p/1") == [2])
  }
}

@Suite struct StorageTests {
  @Test func memoryConforms() throws { try StorageConformance.check(MemoryStorage()) }

  @Test func filesConform() throws {
    let folder = TemporaryFolder()
    try StorageConformance.check(POSIXStorage(root: folder.path))
    // Another process, later, finds the same; nothing else has been left there.
    let again = try POSIXStorage(root: folder.path)
    #expect(try again.read("checkpoint") == [3])
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0.contains(".new-") })
  }

  /// A folder that is there may be one whose maker was killed before it was durable.
  @Test func foldersOfOthersAreMadeDurableToo() throws {
    let folder = TemporaryFolder()
    let synchronised = Mutex<[String]>([])
    let fails = Mutex(true)
    let calls = SystemCalls(
      write: SystemCalls.system.write,
      fsync: { descriptor in
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")) ?? ""
        if path.hasSuffix("/tile"), fails.withLock({ $0 }) {
          errno = EIO
          return -1
        }
        synchronised.withLock { $0.append(path) }
        return SystemCalls.system.fsync(descriptor)
      }, rename: SystemCalls.system.rename)
    let storage = try POSIXStorage(root: folder.path, calls: calls)
    let file = StoredFile(path: "tile/0/000", bytes: [1])
    #expect(throws: StorageFailure.self) { try storage.write([file]) }
    fails.withLock { $0 = false }
    try storage.write([file])
    #expect(synchronised.withLock { $0.contains { $0.hasSuffix("/tile") } })
    // Once is enough.
    synchronised.withLock { $0 = [] }
    try storage.write([file])
    #expect(synchronised.withLock { !$0.contains { $0.hasSuffix("/tile") } && $0.count == 2 })
  }

  @Test func oneProcessAtATime() throws {
    let folder = TemporaryFolder()
    let first = try POSIXStorage(root: folder.path)
    #expect {
      try POSIXStorage(root: folder.path)
    } throws: { "\($0)".contains("another process has it open") }
    withExtendedLifetime(first) {}
  }

  @Test func whatIsNoFolderIsNamed() throws {
    let folder = TemporaryFolder()
    let storage = try POSIXStorage(root: folder.path)
    try storage.write([StoredFile(path: "tile", bytes: [1])])
    #expect { try storage.write([StoredFile(path: "tile/0/000", bytes: [1])]) } throws: {
      "\($0)".contains("tile") && "\($0)".contains("check the disk")
    }
    #expect(throws: StorageFailure.self) { try POSIXStorage(root: folder.path + "/tile/log") }
    #expect(throws: StorageFailure.self) { try storage.read("tile/0/000") }
  }
}
