import Digests
import Transparency

/// A log of our own making, with everything that is served of it.
struct SampleLog {
  static let origin: ByteText = "log.example/evident"
  static let signer = try! NoteSigner(name: origin, seed: [UInt8](repeating: 1, count: 32))
  static let witnesses = (1...3).map {
    try! CosignatureSigner(
      name: ByteText("w\($0).example/witness"), seed: [UInt8](repeating: 16 + UInt8($0), count: 32))
  }
  /// 2-of-3.
  static let policyText = """
    # The log of the tests, and its three witnesses.
    log \(signer.verifierKey) https://log.example/evident

    witness one \(witnesses[0].verifierKey) https://w1.example/
    witness two \(witnesses[1].verifierKey)
    witness three \(witnesses[2].verifierKey)
    group witnesses 2 one two three
    quorum witnesses

    """
  static let policy = try! TrustPolicy(parsing: Array(policyText.utf8))
  static let time: UInt64 = 1_780_000_000

  let entries: [[UInt8]]
  let tree: MerkleTree

  init(size: Int) {
    entries = (0..<size).map { Array("entry \($0)".utf8) }
    tree = MerkleTree(leaves: entries.map { MerkleHash.leaf($0) })
  }

  /// The checkpoint at `size`, signed, and cosigned by the witnesses of those numbers.
  func checkpoint(at size: UInt64, witnesses: [Int] = [0, 1, 2]) throws -> SignedCheckpoint {
    let checkpoint = try Checkpoint(origin: SampleLog.origin, size: size, root: tree.root(at: size))
    let cosignatures = witnesses.map {
      SampleLog.witnesses[$0].cosign(checkpoint, timestamp: SampleLog.time + UInt64($0))
    }
    return try SignedCheckpoint(checkpoint, signatures: [SampleLog.signer.sign(checkpoint)] + cosignatures)
  }

  func evidence(
    of index: UInt64, in size: UInt64, witnesses: [Int] = [0, 1, 2], extra: [UInt8]? = nil
  ) throws -> InclusionEvidence {
    try InclusionEvidence(
      extra: extra, index: index, hashes: tree.inclusionProof(of: index, in: size).hashes,
      signed: try checkpoint(at: size, witnesses: witnesses))
  }

  /// Everything that is served: paths and bytes.
  func files() throws -> [String: [UInt8]] {
    var appender = TileAppender()
    var files: [String: [UInt8]] = [:]
    for tile in appender.append(entries.map { MerkleHash.leaf($0) }) { files[tile.path.description] = tile.bytes }
    for start in stride(from: 0, to: entries.count, by: 256) {
      let bundle = try EntryBundle(Array(entries[start..<min(start + 256, entries.count)]))
      let path = TilePath(.entries, index: UInt64(start / 256), in: tree.size)!
      files[path.description] = bundle.bytes
    }
    files["checkpoint"] = try checkpoint(at: tree.size).bytes
    return files
  }
}

extension FetchedTiles {
  /// The tiles among `files`.
  init(files: [String: [UInt8]]) throws {
    self.init()
    for (path, content) in files where path.hasPrefix("tile/") { bytes[try TilePath(path)] = content }
  }
}
