/// Whom a verifier believes: logs, witnesses, and which of the witnesses must have seen a checkpoint.
///
/// Source: C2SP tlog-policy.
public struct TrustPolicy: Sendable, Equatable {
  public struct Log: Sendable, Hashable {
    /// Of type 0x01; its name is the log's origin.
    public let key: NoteVerifierKey
    /// What it is for is not this policy's to say.
    public let url: ByteText?
  }

  public struct Witness: Sendable, Hashable {
    /// The name within the policy.
    public let name: ByteText
    /// Of type 0x04.
    public let key: NoteVerifierKey
    public let url: ByteText?
  }

  public struct Group: Sendable, Hashable {
    public let name: ByteText
    /// How many members must have witnessed, 1…members.count.
    public let threshold: Int
    /// Names of witnesses and of groups before this one.
    public let members: [ByteText]
  }

  public enum Quorum: Sendable, Hashable {
    /// No cosignature is asked for.
    case none
    /// A witness or a group.
    case member(ByteText)
  }

  public static let bytesMax = 256 << 10
  /// Logs, witnesses and groups, of each kind. C2SP asks for 32 at least.
  public static let linesMax = 256

  public internal(set) var logs: [Log] = []
  public internal(set) var witnesses: [Witness] = []
  /// Each after the groups that it names.
  public internal(set) var groups: [Group] = []
  public internal(set) var quorum: Quorum = .none

  init() {}

  /// The policy as a file: what ``init(parsing:)`` reads, without comments.
  public var bytes: [UInt8] {
    func line(_ words: [ByteText?]) -> [UInt8] {
      Array(words.compactMap { $0?.bytes }.joined(separator: [UInt8(ascii: " ")])) + [0x0A]
    }
    var out: [UInt8] = []
    for log in logs { out += line(["log", ByteText(log.key.description), log.url]) }
    for witness in witnesses {
      out += line(["witness", witness.name, ByteText(witness.key.description), witness.url])
    }
    for group in groups {
      out += line(["group", group.name, ByteText(String(group.threshold))] + group.members)
    }
    return switch quorum {
    case .none: out + line(["quorum", "none"])
    case .member(let name): out + line(["quorum", name])
    }
  }

  /// Whether anyone but the log itself has to agree: without, the log may tell everyone something else.
  public var asksForWitnesses: Bool { quorum != .none }
}
