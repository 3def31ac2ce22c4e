import Foundation
import TestSupport
import Transparency

/// A log that our sequencer writes into a folder, which is removed with this.
final class SampleFolder {
  static let signer = try! NoteSigner(name: "log.example/read", seed: [UInt8](repeating: 4, count: 32))
  static let policy = try! TrustPolicy(parsing: Array("log \(signer.verifierKey)\nquorum none\n".utf8))

  let path = FileManager.default.temporaryDirectory.appending(path: "evident-read-\(UUID().uuidString)").path()

  /// - Parameter batches: how many entries each batch has.
  init(_ batches: [Int]) throws {
    let writer = try LogWriter(path)
    var next = 0
    for count in batches {
      try writer.append((next..<(next + count)).map { Array("entry \($0)".utf8) })
      next += count
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path + "/" + name))) }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try TestFiles.write(bytes, to: path + "/" + name)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }

  /// The tiles and bundles, as paths.
  var tilePaths: [String] {
    (FileManager.default.subpaths(atPath: path) ?? []).filter { (try? TilePath($0)) != nil }.sorted()
  }

  static func checkpoint(size: UInt64, root: MerkleHash) throws -> SignedCheckpoint {
    let checkpoint = try Checkpoint(origin: signer.verifierKey.name, size: size, root: root)
    return try SignedCheckpoint(checkpoint, signatures: [signer.sign(checkpoint)])
  }
}

/// Tiles, bundles and a checkpoint as plain files; what tests need of a log's server.
final class LogWriter {
  private let path: String
  private var appender = TileAppender()
  private var entries: [[UInt8]] = []

  init(_ path: String) throws {
    self.path = path
    try publish([:])
  }

  func append(_ more: [[UInt8]]) throws {
    let first = entries.count / 256
    entries += more
    var files: [String: [UInt8]] = [:]
    for tile in appender.append(more.map { MerkleHash.leaf($0) }) { files[tile.path.description] = tile.bytes }
    for index in first...(entries.count / 256) {
      guard let path = TilePath(.entries, index: UInt64(index), in: appender.size) else { continue }
      files[path.description] = try EntryBundle(Array(entries.dropFirst(index * 256).prefix(256))).bytes
    }
    try publish(files)
  }

  private func publish(_ files: [String: [UInt8]]) throws {
    var files = files
    files["checkpoint"] = try SampleFolder.checkpoint(size: appender.size, root: appender.root).bytes
    for (name, bytes) in files {
      try TestFiles.write(bytes, to: path + "/" + name)
    }
  }
}
