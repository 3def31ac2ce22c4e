import Transparency

/// What one witness has seen, and how it is led to a checkpoint of ours.
struct WitnessConversation<Storage: LogStorage>: Sendable {
  let link: WitnessLink
  let tiles: StorageTiles<Storage>
  /// As far as we know; a witness that knows better says so.
  private var seen: UInt64 = 0
  /// A witness that has been restored may know less, and one that others lead more.
  private static var attemptsMax: Int { 3 }

  init(link: WitnessLink, tiles: StorageTiles<Storage>) {
    self.link = link
    self.tiles = tiles
  }

  /// - Returns: a cosignature that holds, or why there is none.
  mutating func cosignature(of signed: SignedCheckpoint) async -> Result<NoteSignature, WitnessFailure> {
    let size = signed.checkpoint.size
    if seen > size { seen = size }
    for _ in 0..<Self.attemptsMax {
      let hashes: [MerkleHash]
      do { hashes = try consistency(to: size) } catch { return .failure(error) }
      let answer: WitnessAnswer
      do { answer = try await link.client.addCheckpoint(WitnessRequest.body(old: seen, hashes: hashes, signed)) } catch
      {
        return .failure(.unreachable("\(error)"))
      }
      switch answer {
      case .cosigned(let lines):
        guard let line = lines.first(where: { isOurs($0, signed) }) else { return .failure(.notItsSignature) }
        seen = size
        return .success(line)
      case .knows(let other) where other > size: return .failure(.ahead(witness: other, log: size))
      case .knows(let other) where other == seen: return .failure(.contradicts(size: other))
      case .knows(let other): seen = other
      case .refused(let status, let text): return .failure(.refused(status: status, text: text))
      }
    }
    return .failure(.contradicts(size: seen))
  }

  private func consistency(to size: UInt64) throws(WitnessFailure) -> [MerkleHash] {
    guard seen > 0, seen < size else { return [] }
    do { return try TileTree(size: size, source: tiles).consistencyProof(from: seen).hashes } catch {
      throw .proof(error.description)
    }
  }

  private func isOurs(_ line: NoteSignature, _ signed: SignedCheckpoint) -> Bool {
    line.name == link.key.name && line.keyID == link.key.keyID
      && Cosignature(bytes: line.signature)?.isMade(by: link.key, of: signed.checkpoint.text) == true
  }
}

/// Why a witness has not cosigned.
enum WitnessFailure: Error, Equatable, CustomStringConvertible {
  case unreachable(String)
  case refused(status: Int, text: String)
  case notItsSignature
  /// The log is older than what it has shown before: its folder comes from a copy, or there are two of it.
  case ahead(witness: UInt64, log: UInt64)
  case contradicts(size: UInt64)
  case proof(String)

  var description: String {
    switch self {
    case .unreachable(let reason): "cannot be reached: \(reason)"
    case .refused(let status, let text): "refuses with \(status): \(text)"
    case .notItsSignature: "answers with a signature that is not by the key in the policy"
    case .ahead(let witness, let log):
      "has seen \(witness) entries of this log, which has \(log): the folder is an old copy, or a second log has this key"
    case .contradicts(let size): "contradicts itself about the size \(size)"
    case .proof(let reason): "cannot be shown a proof: \(reason)"
    }
  }
}
