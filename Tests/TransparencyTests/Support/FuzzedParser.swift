import Transparency

/// Every parser of the target, with what must hold of all that it accepts. Both the mutation tests and
/// `scripts/fuzz.sh` run these; a violation traps, so that a fuzzer keeps its input.
enum FuzzedParser: String, CaseIterable, Sendable {
  case note, signatureLine, verifierKey, secretKey, checkpoint, signedCheckpoint, tilePath, tile, bundle, proof,
    evidence, policy, addCheckpoint

  /// - Returns: whether the bytes were accepted.
  func accepts(_ bytes: [UInt8]) -> Bool {
    switch self {
    case .note: note(bytes)
    case .signatureLine: signatureLine(bytes)
    case .verifierKey: verifierKey(bytes)
    case .secretKey: secretKey(bytes)
    case .checkpoint: checkpoint(bytes)
    case .signedCheckpoint: signedCheckpoint(bytes)
    case .tilePath: tilePath(bytes)
    case .tile: tile(bytes)
    case .bundle: bundle(bytes)
    case .proof: proof(bytes)
    case .evidence: evidence(bytes)
    case .policy: policy(bytes)
    case .addCheckpoint: addCheckpoint(bytes)
    }
  }

  private static let key = try! NoteVerifierKey(
    name: "log.example/evident", kind: .ed25519, publicKey: [UInt8](repeating: 9, count: 32))

  /// There is one spelling of everything: what is read is written as it was.
  private func note(_ bytes: [UInt8]) -> Bool {
    guard let note = try? Note(parsing: bytes) else { return false }
    precondition(note.bytes == bytes && !note.signatures.isEmpty)
    precondition((try? note.verified(by: [FuzzedParser.key])) == nil, "nobody knows the secret key")
    return true
  }

  private func signatureLine(_ bytes: [UInt8]) -> Bool {
    guard let line = try? NoteSignature(parsing: bytes) else { return false }
    precondition(line.line == bytes + [0x0A])
    _ = Cosignature(bytes: line.signature)
    return true
  }

  private func verifierKey(_ bytes: [UInt8]) -> Bool {
    guard let key = try? NoteVerifierKey(parsing: bytes) else { return false }
    precondition(Array(key.description.utf8) == bytes)
    return true
  }

  private func secretKey(_ bytes: [UInt8]) -> Bool {
    if let signer = try? NoteSigner(parsing: bytes) {
      precondition((try? NoteVerifierKey(signer.verifierKey.description)) == signer.verifierKey)
      return true
    }
    return (try? CosignatureSigner(parsing: bytes)) != nil
  }

  private func checkpoint(_ bytes: [UInt8]) -> Bool {
    guard let checkpoint = try? Checkpoint(parsing: bytes) else { return false }
    precondition(checkpoint.text == bytes)
    return true
  }

  private func signedCheckpoint(_ bytes: [UInt8]) -> Bool {
    guard let signed = try? SignedCheckpoint(parsing: bytes) else { return false }
    precondition(signed.bytes == bytes)
    precondition((try? signed.verified(by: [FuzzedParser.key])) == nil)
    return true
  }

  private func tilePath(_ bytes: [UInt8]) -> Bool {
    guard let path = try? TilePath(parsing: bytes) else { return false }
    precondition(Array(path.description.utf8) == bytes)
    return true
  }

  private func tile(_ bytes: [UInt8]) -> Bool {
    let width = bytes.count / 32
    guard let path = TilePath(.hashes(level: 0), index: 0, width: width),
      let tile = try? Tile(path: path, parsing: bytes)
    else { return false }
    precondition(tile.bytes == bytes)
    // The same hashes as all the tiles of a tree; one of 256 leaves has its root in a tile above.
    guard !path.isFull else { return true }
    let source = FetchedTiles([path: bytes])
    let tree = TileTree(size: UInt64(width), source: source)
    precondition((try? tree.root()) == tile.root)
    return true
  }

  /// The first byte says how many entries there should be.
  private func bundle(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first else { return false }
    let content = Array(bytes.dropFirst())
    guard let bundle = try? EntryBundle(parsing: content, width: Int(first)) else { return false }
    precondition(bundle.bytes == content && bundle.leafHashes.count == Int(first))
    return true
  }

  /// Three numbers, two roots, and a proof: whatever they are, an answer.
  private func proof(_ bytes: [UInt8]) -> Bool {
    func number(_ at: Int) -> UInt64 { bytes[at..<(at + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
    guard bytes.count >= 88, let a = MerkleHash(bytes: bytes[24..<56]), let b = MerkleHash(bytes: bytes[56..<88]) else {
      return false
    }
    let (x, y, z) = (number(0), number(8), number(16))
    let hashes = stride(from: 88, through: bytes.count - 32, by: 32).prefix(200).compactMap {
      MerkleHash(bytes: bytes[$0..<($0 + 32)])
    }
    var held = false
    if (try? InclusionProof(index: x, size: y, hashes: hashes).verify(leaf: a, root: b)) != nil { held = true }
    if (try? ConsistencyProof(oldSize: x, newSize: y, hashes: hashes).verify(oldRoot: a, newRoot: b)) != nil {
      held = true
    }
    let subtree = min(x, y)..<max(x, y)
    if (try? SubtreeInclusionProof(index: z, subtree: subtree, hashes: hashes).verify(leaf: a, subtreeHash: b)) != nil {
      held = true
    }
    let consistency = SubtreeConsistencyProof(subtree: subtree, size: z, hashes: hashes)
    if (try? consistency.verify(subtreeHash: a, root: b)) != nil { held = true }
    _ = TilePaths.forInclusion(of: x, in: y)
    _ = TilePaths.forConsistency(from: x, to: y)
    _ = try? TileTree(size: y, source: FetchedTiles()).inclusionProof(of: x)
    _ = try? TileAppender(size: x, source: FetchedTiles())
    return held
  }

  private func evidence(_ bytes: [UInt8]) -> Bool {
    guard let evidence = try? InclusionEvidence(parsing: bytes) else { return false }
    precondition(evidence.bytes == bytes)
    _ = try? evidence.proof.verify(leaf: .emptyRoot, root: evidence.signed.checkpoint.root)
    return true
  }

  private func policy(_ bytes: [UInt8]) -> Bool {
    guard let policy = try? TrustPolicy(parsing: bytes) else { return false }
    // Comments and the spelling of thresholds are gone; the meaning is the same.
    precondition((try? TrustPolicy(parsing: policy.bytes)) == policy)
    return true
  }

  private func addCheckpoint(_ bytes: [UInt8]) -> Bool {
    guard let request = try? AddCheckpointRequest(parsing: bytes) else { return false }
    precondition(request.bytes == bytes)
    _ = try? request.proof.verify(oldRoot: .emptyRoot, newRoot: request.signed.checkpoint.root)
    return true
  }
}
