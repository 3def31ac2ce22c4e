import Synchronization
import Transparency
import TransparencyLog
import Witness

/// A log of two histories, which are the same for ten entries, and a witness for it.
enum Sample {
  static let signer = try! NoteSigner(name: "log.example/a", seed: [UInt8](repeating: 1, count: 32))
  static let otherLog = try! NoteSigner(name: "log.example/b", seed: [UInt8](repeating: 2, count: 32))
  static let cosigner = try! CosignatureSigner(name: "w.example/w", seed: [UInt8](repeating: 7, count: 32))
  static let logs = WitnessedLog.logs(
    of: try! TrustPolicy(
      parsing: Array("log \(signer.verifierKey)\nlog \(otherLog.verifierKey)\nquorum none\n".utf8)))
  static let time: UInt64 = 1_790_000_000

  static let tree = MerkleTree(leaves: (0..<600).map { .leaf("entry \($0)".utf8) })
  static let fork = MerkleTree(leaves: (0..<600).map { .leaf("entry \($0 < 10 ? "" : "other ")\($0)".utf8) })

  static func checkpoint(
    _ size: UInt64, of tree: MerkleTree = tree, signer: NoteSigner = signer
  ) throws -> SignedCheckpoint {
    let checkpoint = try Checkpoint(origin: signer.verifierKey.name, size: size, root: tree.root(at: size))
    return try SignedCheckpoint(checkpoint, signatures: [signer.sign(checkpoint)])
  }

  static func request(
    from old: UInt64, to new: UInt64, of tree: MerkleTree = tree, signer: NoteSigner = signer
  ) throws -> AddCheckpointRequest {
    let hashes = old == 0 || old > new ? [] : tree.consistencyProof(from: old, to: new).hashes
    return try AddCheckpointRequest(
      oldSize: old, hashes: hashes, signed: try checkpoint(new, of: tree, signer: signer))
  }

  static func witness<Storage: LogStorage>(_ storage: Storage) throws -> Witness<Storage> {
    try Witness(signer: cosigner, logs: logs, storage: storage) { time }
  }

  /// The same with a clock that a second passes on each time it is looked at.
  static func restlessWitness<Storage: LogStorage>(_ storage: Storage) throws -> Witness<Storage> {
    let now = Mutex(time)
    return try Witness(signer: cosigner, logs: logs, storage: storage) {
      now.withLock { now in
        now += 1
        return now
      }
    }
  }
}

extension Witness {
  /// The refusal, or nil if it was cosigned.
  func refusal(_ request: AddCheckpointRequest) throws -> WitnessRefusal? {
    do throws(AddCheckpointError) {
      _ = try addCheckpoint(request)
      return nil
    } catch {
      switch error {
      case .refused(let refusal): return refusal
      case .failed(let failure): throw failure
      }
    }
  }
}
