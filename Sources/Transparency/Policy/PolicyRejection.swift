/// Why bytes are not a trust policy, with the line, from 1.
public struct PolicyRejection: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case tooLong(byteCount: Int)
    case octet(UInt8)
    case unfinishedLine
    case unknownKeyword(String)
    /// Too few or too many words.
    case words(wanted: String)
    case key(NoteKeyRejection)
    /// A key of a type that logs, or witnesses, do not use.
    case keyKind(NoteVerifierKey.Kind, wanted: NoteVerifierKey.Kind)
    case duplicateKey(firstLine: Int)
    /// Another key of the same name and key ID.
    case ambiguousKey(firstLine: Int)
    case duplicateName(String, firstLine: Int)
    /// `none` names no witness and no group, and is no member.
    case reservedName
    /// Not defined on a line before: also what makes circles impossible.
    case unknownName(String)
    case memberTwice(String, firstLine: Int)
    case threshold(String, members: Int)
    case tooMany(String)
    case secondQuorum(firstLine: Int)
    case noQuorum
  }

  public let line: Int
  public let reason: Reason

  public init(line: Int, reason: Reason) {
    self.line = line
    self.reason = reason
  }

  public var description: String { "line \(line) of the policy: \(reasonText)" }

  /// The reason without the line.
  public var reasonText: String {
    switch reason {
    case .tooLong(let count): "it is \(count) bytes long; the limit is \(TrustPolicy.bytesMax)"
    case .octet(let octet): "the byte \(octet) is not allowed"
    case .unfinishedLine: "it does not end in a newline"
    case .unknownKeyword(let word): "\"\(word)\" is none of log, witness, group and quorum"
    case .words(let wanted): "write \(wanted)"
    case .key(let rejection): rejection.description
    case .keyKind(let found, let wanted):
      NoteKeyRejection.wrongKind(found, wanted: wanted).description
    case .duplicateKey(let first): "the public key is that of line \(first)"
    case .ambiguousKey(let first): "name and key ID are those of line \(first), the key is another"
    case .duplicateName(let name, let first): "\"\(name)\" is defined on line \(first)"
    case .reservedName: "\"none\" can only be a quorum"
    case .unknownName(let name): "\"\(name)\" is not defined on a line before"
    case .memberTwice(let name, let first): "\"\(name)\" is a member of the group on line \(first)"
    case .threshold(let text, let members): "\"\(text)\" is none of any, all and a number from 1 to \(members)"
    case .tooMany(let what): "more than \(TrustPolicy.linesMax) \(what)"
    case .secondQuorum(let first): "the quorum is defined on line \(first)"
    case .noQuorum: "no quorum is defined; write quorum NAME or quorum none"
    }
  }
}
