import Testing
import Transparency

/// Trees of every small size and of some large ones: every proof verifies, and no changed one does.
@Suite struct MerkleTreeTests {
  /// RFC 6962, section 2.1, word by word.
  static func hash(_ leaves: ArraySlice<MerkleHash>) -> MerkleHash {
    if leaves.isEmpty { return .emptyRoot }
    if leaves.count == 1 { return leaves.first! }
    var k = 1
    while k * 2 < leaves.count { k *= 2 }
    return .node(hash(leaves.prefix(k)), hash(leaves.dropFirst(k)))
  }

  static let leaves = (0..<1200).map { MerkleHash.leaf(Array("leaf \($0)".utf8)) }

  @Test func rootsAreThoseOfTheDefinition() throws {
    var tree = MerkleTree()
    var range = CompactRange()
    #expect(tree.root == .emptyRoot && range.root == .emptyRoot)
    #expect(MerkleHash.emptyRoot.base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    for size in 1...300 {
      tree.append(Self.leaves[size - 1])
      range.append(Self.leaves[size - 1])
      let root = Self.hash(Self.leaves[..<size])
      #expect(tree.root == root && range.root == root, "size \(size)")
      #expect(CompactRange(size: UInt64(size), hashes: range.hashes) == range)
      #expect(CompactRange(size: UInt64(size), hashes: range.hashes + [root]) == nil)
    }
    for size in 1...300 { #expect(tree.root(at: UInt64(size)) == Self.hash(Self.leaves[..<size])) }
    #expect(CompactRange(size: .max, hashes: [MerkleHash](repeating: .emptyRoot, count: 64)) == nil)
  }

  /// All proofs of all trees up to 300 leaves verify; each also fails for a neighbouring place.
  @Test func everyInclusionProofOfSmallTreesVerifies() throws {
    let tree = MerkleTree(leaves: Self.leaves.prefix(300))
    for size in 1...UInt64(300) {
      let root = tree.root(at: size)
      for index in 0..<size {
        let proof = tree.inclusionProof(of: index, in: size)
        try proof.verify(leaf: tree.leaf(at: index), root: root)
        let wrong = InclusionProof(index: index ^ 1, size: size, hashes: proof.hashes)
        if size > 1 {
          #expect(throws: ProofRejection.self) { try wrong.verify(leaf: tree.leaf(at: index), root: root) }
        }
      }
    }
  }

  @Test func everyConsistencyProofOfSmallTreesVerifies() throws {
    let tree = MerkleTree(leaves: Self.leaves.prefix(300))
    let roots = (0...UInt64(300)).map { tree.root(at: $0) }
    for new in 1...UInt64(300) {
      for old in 1...new {
        let proof = tree.consistencyProof(from: old, to: new)
        try proof.verify(oldRoot: roots[Int(old)], newRoot: roots[Int(new)])
        #expect(proof.hashes.count <= 10)
        if old < new {
          #expect(throws: ProofRejection.self) {
            try proof.verify(oldRoot: roots[Int(old) - 1], newRoot: roots[Int(new)])
          }
        }
      }
    }
  }

  @Test func everySubtreeOfSmallTreesIsProven() throws {
    let tree = MerkleTree(leaves: Self.leaves.prefix(70))
    var count = 0
    for size in 1...UInt64(70) {
      for end in 1...size {
        for start in 0..<end {
          let length = end - start
          var step: UInt64 = 1
          while step < length { step *= 2 }
          guard start % step == 0 else {
            #expect(throws: ProofRejection.notSubtree(start: start, end: end)) {
              try SubtreeConsistencyProof(subtree: start..<end, size: size, hashes: [])
                .verify(subtreeHash: .emptyRoot, root: .emptyRoot)
            }
            continue
          }
          count += 1
          let hash = tree.subtreeHash(start..<end)
          #expect(hash == Self.hash(Self.leaves[Int(start)..<Int(end)]))
          try tree.consistencyProof(of: start..<end, in: size).verify(subtreeHash: hash, root: tree.root(at: size))
          let index = (start + end) / 2
          try tree.inclusionProof(of: index, in: start..<end).verify(leaf: tree.leaf(at: index), subtreeHash: hash)
        }
      }
    }
    #expect(count > 5000)
  }

  @Test func everyChangeOfAnInclusionProofIsRefused() throws {
    var random = SeededGenerator("inclusion")
    for _ in 0..<60 {
      let size = UInt64.random(in: 1...1200, using: &random)
      let index = UInt64.random(in: 0..<size, using: &random)
      let tree = MerkleTree(leaves: Self.leaves.prefix(Int(size)))
      let proof = tree.inclusionProof(of: index, in: size)
      let (leaf, root) = (tree.leaf(at: index), tree.root)
      try proof.verify(leaf: leaf, root: root)
      func refused(_ changed: InclusionProof, leaf: MerkleHash, root: MerkleHash) {
        #expect(throws: ProofRejection.self, "seed \(random.seed), \(changed)") {
          try changed.verify(leaf: leaf, root: root)
        }
      }
      for hashes in Self.changes(of: proof.hashes, random.bytes(32)) {
        refused(InclusionProof(index: index, size: size, hashes: hashes), leaf: leaf, root: root)
      }
      for bit in 0..<UInt64(64) {
        refused(InclusionProof(index: index ^ 1 << bit, size: size, hashes: proof.hashes), leaf: leaf, root: root)
      }
      // Another size may ask for the same path; every other one is refused.
      for bit in 0..<UInt64(64) {
        let changed = InclusionProof(index: index, size: size ^ 1 << bit, hashes: proof.hashes)
        let same =
          changed.size < 1 << 40 && index < changed.size
          && Self.path(index, changed.size) == Self.path(index, size)
        if !same { refused(changed, leaf: leaf, root: root) }
      }
      for leaf in Self.flips(of: leaf) { refused(proof, leaf: leaf, root: root) }
      for root in Self.flips(of: root) { refused(proof, leaf: leaf, root: root) }
    }
  }

  @Test func everyChangeOfAConsistencyProofIsRefused() throws {
    var random = SeededGenerator("consistency")
    for _ in 0..<60 {
      let new = UInt64.random(in: 2...1200, using: &random)
      let old = UInt64.random(in: 1..<new, using: &random)
      let tree = MerkleTree(leaves: Self.leaves.prefix(Int(new)))
      let proof = tree.consistencyProof(from: old, to: new)
      let (oldRoot, newRoot) = (tree.root(at: old), tree.root)
      try proof.verify(oldRoot: oldRoot, newRoot: newRoot)
      func refused(_ changed: ConsistencyProof, _ oldRoot: MerkleHash, _ newRoot: MerkleHash) {
        #expect(throws: ProofRejection.self, "seed \(random.seed), \(changed)") {
          try changed.verify(oldRoot: oldRoot, newRoot: newRoot)
        }
      }
      for hashes in Self.changes(of: proof.hashes, random.bytes(32)) {
        refused(ConsistencyProof(oldSize: old, newSize: new, hashes: hashes), oldRoot, newRoot)
      }
      for bit in 0..<UInt64(64) {
        refused(ConsistencyProof(oldSize: old ^ 1 << bit, newSize: new, hashes: proof.hashes), oldRoot, newRoot)
      }
      for root in Self.flips(of: oldRoot) { refused(proof, root, newRoot) }
      for root in Self.flips(of: newRoot) { refused(proof, oldRoot, root) }
      refused(proof, newRoot, oldRoot)
    }
  }

  @Test func theEmptyTreeIsConsistentWithItselfOnly() throws {
    try ConsistencyProof(oldSize: 0, newSize: 0, hashes: []).verify(oldRoot: .emptyRoot, newRoot: .emptyRoot)
    let leaf = Self.leaves[0]
    #expect(throws: ProofRejection.emptyTree) {
      try ConsistencyProof(oldSize: 0, newSize: 1, hashes: []).verify(oldRoot: .emptyRoot, newRoot: leaf)
    }
    #expect(throws: ProofRejection.self) {
      try ConsistencyProof(oldSize: 0, newSize: 0, hashes: []).verify(oldRoot: leaf, newRoot: leaf)
    }
    #expect(throws: ProofRejection.sizesOutOfOrder(old: 2, new: 1)) {
      try ConsistencyProof(oldSize: 2, newSize: 1, hashes: []).verify(oldRoot: leaf, newRoot: leaf)
    }
  }

  /// Numbers at the edge of what can be written.
  @Test func absurdNumbersAreRefused() {
    let hashes = [MerkleHash](repeating: .emptyRoot, count: 64)
    for (index, size) in [(UInt64.max, UInt64.max), (.max - 1, .max), (0, .max), (1 << 63, .max), (0, 0), (5, 5)] {
      #expect(throws: ProofRejection.self) {
        try InclusionProof(index: index, size: size, hashes: hashes).verify(leaf: .emptyRoot, root: .emptyRoot)
      }
      #expect(throws: ProofRejection.self) {
        try ConsistencyProof(oldSize: index, newSize: size, hashes: hashes)
          .verify(oldRoot: .emptyRoot, newRoot: .emptyRoot)
      }
    }
    #expect(throws: ProofRejection.self) {
      try SubtreeConsistencyProof(subtree: 1..<UInt64.max, size: .max, hashes: hashes)
        .verify(subtreeHash: .emptyRoot, root: .emptyRoot)
    }
  }

  /// Every bit changed, one hash less, one more at either end, two exchanged, one in place of another.
  private static func changes(of hashes: [MerkleHash], _ noise: [UInt8]) -> [[MerkleHash]] {
    let other = MerkleHash(bytes: noise)!
    var out = [hashes + [other], [other] + hashes]
    for i in hashes.indices {
      for flipped in flips(of: hashes[i]) {
        var changed = hashes
        changed[i] = flipped
        out.append(changed)
      }
      var less = hashes
      less.remove(at: i)
      out.append(less)
      out.append(Array(hashes[...i]) + hashes[i...])
      if i > 0 {
        var exchanged = hashes
        exchanged.swapAt(i, i - 1)
        if exchanged != hashes { out.append(exchanged) }
      }
    }
    return out
  }

  /// One bit of each byte.
  private static func flips(of hash: MerkleHash) -> [MerkleHash] {
    (0..<32).map { i in
      var bytes = hash.bytes
      bytes[i] ^= 1 << (i % 8)
      return MerkleHash(bytes: bytes)!
    }
  }

  /// On which side the siblings of the way to the root stand, of the definition.
  private static func path(_ index: UInt64, _ size: UInt64) -> [Bool] {
    if size == 1 { return [] }
    var k: UInt64 = 1
    while k * 2 < size { k *= 2 }
    return index < k ? path(index, k) + [false] : path(index - k, size - k) + [true]
  }
}
