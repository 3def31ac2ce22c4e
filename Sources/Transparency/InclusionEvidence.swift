import Digests

/// That an entry is in a log and that witnesses have seen it there: a `tlog-proof`, which needs no network.
///
/// Source: C2SP tlog-proof.
public struct InclusionEvidence: Sendable, Equatable {
  public static let bytesMax = 512 << 10
  public static let extraBytesMax = 64 << 10
  /// Enough for a tree of 2^63 entries.
  public static let hashesMax = 63
  private static let header = "c2sp.org/tlog-proof@v1"

  /// Not authenticated by anything; nil or not empty.
  public let extra: [UInt8]?
  /// Of the entry, from 0.
  public let index: UInt64
  /// The leaf's sibling first.
  public let hashes: [MerkleHash]
  public let signed: SignedCheckpoint

  /// - Throws: unless the numbers are within their limits.
  public init(
    extra: [UInt8]? = nil, index: UInt64, hashes: [MerkleHash], signed: SignedCheckpoint
  ) throws(InclusionEvidenceRejection) {
    guard (extra?.count ?? 1) > 0, (extra?.count ?? 1) <= InclusionEvidence.extraBytesMax else { throw .extra }
    guard index <= CanonicalDecimal.valueMax else { throw .index(String(index)) }
    guard hashes.count <= InclusionEvidence.hashesMax else { throw .tooManyHashes }
    self.extra = extra
    self.index = index
    self.hashes = hashes
    self.signed = signed
  }

  public init(parsing bytes: [UInt8]) throws(InclusionEvidenceRejection) {
    guard bytes.count <= InclusionEvidence.bytesMax else { throw .tooLong(byteCount: bytes.count) }
    var left = bytes[...]
    /// Nil without a newline.
    func nextLine() -> ArraySlice<UInt8>? {
      guard let end = left.firstIndex(of: 0x0A) else { return nil }
      defer { left = left[(end + 1)...] }
      return left[..<end]
    }
    guard let header = nextLine(), header.elementsEqual(InclusionEvidence.header.utf8) else { throw .header }
    guard var line = nextLine() else { throw .ended(line: 2) }
    var number = 2
    var extra: [UInt8]?
    if line.starts(with: "extra ".utf8) {
      let text = line.dropFirst(6)
      guard text.count <= (InclusionEvidence.extraBytesMax + 2) / 3 * 4,
        let bytes = Base64.bytes(String(decoding: text, as: UTF8.self)), !bytes.isEmpty,
        bytes.count <= InclusionEvidence.extraBytesMax, let next = nextLine()
      else { throw .extra }
      extra = bytes
      line = next
      number += 1
    }
    guard line.starts(with: "index ".utf8), let index = CanonicalDecimal.value(line.dropFirst(6)) else {
      throw .index(ByteText.shown(line, bytesMax: 40))
    }
    var hashes: [MerkleHash] = []
    while true {
      number += 1
      guard let line = nextLine() else { throw .ended(line: number) }
      if line.isEmpty { break }
      guard let hash = MerkleHash(base64: line) else { throw .hash(line: number) }
      guard hashes.count < InclusionEvidence.hashesMax else { throw .tooManyHashes }
      hashes.append(hash)
    }
    do { signed = try SignedCheckpoint(parsing: Array(left)) } catch { throw .checkpoint(error) }
    self.extra = extra
    self.index = index
    self.hashes = hashes
  }

  /// What ``init(parsing:)`` reads: equal to what it read.
  public var bytes: [UInt8] {
    var text = InclusionEvidence.header + "\n"
    if let extra { text += "extra \(Base64.string(extra))\n" }
    text += "index \(index)\n"
    for hash in hashes { text += hash.base64 + "\n" }
    return Array((text + "\n").utf8) + signed.bytes
  }

  /// The proof in the tree of the checkpoint's size.
  public var proof: InclusionProof { InclusionProof(index: index, size: signed.checkpoint.size, hashes: hashes) }

  /// Verifies the proof and all known signatures, and counts the witnesses.
  ///
  /// - Parameter leaf: the hash of the entry whose inclusion is in question: ``MerkleHash/leaf(_:)`` of it.
  /// - Returns: the verdict, which may be that too few witnesses have cosigned.
  public func evaluate(
    leaf: MerkleHash, policy: TrustPolicy, furtherLogs: [NoteVerifierKey] = []
  ) throws(InclusionEvidenceRejection) -> PolicyVerdict {
    let verdict: PolicyVerdict
    do { verdict = try policy.evaluate(signed, furtherLogs: furtherLogs) } catch { throw .checkpoint(error) }
    do { try proof.verify(leaf: leaf, root: signed.checkpoint.root) } catch { throw .proof(error) }
    return verdict
  }

  /// The same, and the policy's quorum must be reached.
  @discardableResult
  public func verify(
    leaf: MerkleHash, policy: TrustPolicy, furtherLogs: [NoteVerifierKey] = []
  ) throws(InclusionEvidenceRejection) -> PolicyVerdict {
    let verdict = try evaluate(leaf: leaf, policy: policy, furtherLogs: furtherLogs)
    if case .notReached(let shortfall) = verdict.quorum { throw .quorum(shortfall) }
    return verdict
  }
}

/// Why bytes are not a `tlog-proof`, or not one for this entry and policy. Lines count from 1.
public enum InclusionEvidenceRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(byteCount: Int)
  case header
  case ended(line: Int)
  case extra
  case index(String)
  case hash(line: Int)
  case tooManyHashes
  case checkpoint(CheckpointRejection)
  case proof(ProofRejection)
  case quorum(QuorumShortfall)

  public var description: String {
    switch self {
    case .tooLong(let count): "the proof is \(count) bytes long; the limit is \(InclusionEvidence.bytesMax)"
    case .header: "the proof does not begin with the line c2sp.org/tlog-proof@v1"
    case .ended(let line): "the proof ends at line \(line)"
    case .extra: "the extra line is not padded base64 of 1 to \(InclusionEvidence.extraBytesMax) bytes"
    case .index(let line): "\"\(line)\" is not index and a decimal number up to 2^63 - 1"
    case .hash(let line): "line \(line) of the proof is not the padded base64 of 32 bytes"
    case .tooManyHashes: "the proof has more than \(InclusionEvidence.hashesMax) hashes"
    case .checkpoint(let rejection): rejection.description
    case .proof(let rejection): rejection.description
    case .quorum(let shortfall): shortfall.description
    }
  }
}
