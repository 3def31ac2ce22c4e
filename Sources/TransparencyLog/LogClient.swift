public import Transparency

/// A log as those see it who have something to be logged: in this process, or somewhere else.
public protocol LogClient: Sendable {
  /// The log's key, whose name is its origin.
  var key: NoteVerifierKey { get }

  /// - Returns: the entry's place, when it is durable.
  func submit(_ entry: [UInt8]) async throws -> SequencedEntry

  /// How many entries the published checkpoint has; 0 without one.
  func publishedSize() async throws -> UInt64

  func proof(of leaf: MerkleHash) async throws -> ProofAnswer
}

/// What a log says about an entry.
public enum ProofAnswer: Sendable, Equatable {
  case logged(InclusionEvidence)
  /// It has its place, and no published checkpoint covers it yet.
  case pending(index: UInt64, reason: String)
  case unknown
}
