import Digests
import TestSupport
import Testing
import Transparency

/// The proofs of transparency-dev/merkle, good and bad.
@Suite(.enabled(if: TestFiles.vectors != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"))
struct MerkleVectorTests {
  /// How many vectors there are of each kind: fewer would mean that some were not read.
  static let counts = ["inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118]

  @Test(arguments: counts.keys.sorted())
  func proofsAreJudgedAsTheVectorsSay(_ kind: String) throws {
    let folder = try #require(TestFiles.vectors) + "/merkle/" + kind
    let files = try TestFiles.files(below: folder).filter { $0.hasSuffix(".json") }
    #expect(files.count == Self.counts[kind])
    var accepted = 0
    for file in files {
      let vector = try MerkleVector(try TestFiles.bytes(folder + "/" + file))
      let holds = try vector.holds(kind)
      if holds { accepted += 1 }
      #expect(holds == !vector.isWrong, "\(kind)/\(file)")
    }
    print("\(kind): \(files.count) vectors, \(accepted) of them good")
    #expect(accepted >= 5)
  }
}

/// One vector. Its numbers reach 2^64 - 1, which the product's JSON refuses, so they are read from the text.
private struct MerkleVector {
  private let text: String
  let isWrong: Bool

  init(_ bytes: [UInt8]) throws {
    text = String(decoding: bytes, as: UTF8.self)
    isWrong = text.contains("\"wantErr\": true")
    try #require(isWrong || text.contains("\"wantErr\": false"))
  }

  private func field(_ name: String) throws -> Substring {
    let start = try #require(text.firstRange(of: "\"\(name)\": ")).upperBound
    return text[start...].prefix { $0 != "\n" && $0 != "," }
  }

  private func number(_ name: String) throws -> UInt64 { try #require(UInt64(try field(name))) }

  private func string(_ name: String) throws -> String { String(try field(name).dropFirst().dropLast()) }

  /// Nil for bytes that are no hash. Two roots in places where only their equality matters are the words
  /// "don't care 1" and "don't care 2" instead of 32 bytes: a hash stands for each of them.
  private func hash(_ name: String) throws -> MerkleHash? {
    let bytes = try #require(Base64.bytes(try string(name)))
    if bytes.starts(with: "don't care".utf8) { return .leaf(bytes) }
    return MerkleHash(bytes: bytes)
  }

  /// Nil if one of the lines is no hash.
  private func proof() throws -> [MerkleHash]? {
    let start = try #require(text.firstRange(of: "\"proof\": ")).upperBound
    let rest = text[start...]
    if rest.hasPrefix("null") { return [] }
    let list = rest.dropFirst().prefix { $0 != "]" }
    var hashes: [MerkleHash] = []
    for item in list.split(separator: ",") {
      let word = item.filter { $0 != "\"" && !$0.isWhitespace }
      guard item.contains("\"") else { continue }
      guard let hash = MerkleHash(base64: Array(word.utf8)) else { return nil }
      hashes.append(hash)
    }
    return hashes
  }

  func holds(_ kind: String) throws -> Bool {
    guard let proof = try proof() else { return false }
    do {
      switch kind {
      case "inclusion":
        guard let leaf = try hash("leafHash"), let root = try hash("root") else { return false }
        try InclusionProof(index: number("leafIdx"), size: number("treeSize"), hashes: proof)
          .verify(leaf: leaf, root: root)
      case "subtreeinclusion":
        let (start, end) = (try number("start"), try number("end"))
        guard start <= end, let leaf = try hash("leafHash"), let root = try hash("root") else { return false }
        try SubtreeInclusionProof(index: number("leafIdx"), subtree: start..<end, hashes: proof)
          .verify(leaf: leaf, subtreeHash: root)
      case "consistency":
        guard let old = try hash("root1"), let new = try hash("root2") else { return false }
        try ConsistencyProof(oldSize: number("size1"), newSize: number("size2"), hashes: proof)
          .verify(oldRoot: old, newRoot: new)
      default:
        let (start, end) = (try number("start"), try number("end"))
        guard start <= end, let old = try hash("root1"), let new = try hash("root2") else { return false }
        try SubtreeConsistencyProof(subtree: start..<end, size: number("size"), hashes: proof)
          .verify(subtreeHash: old, root: new)
      }
      return true
    } catch is ProofRejection { return false }
  }
}
