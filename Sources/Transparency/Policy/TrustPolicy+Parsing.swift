extension TrustPolicy {
  /// Reads a policy file.
  public init(parsing bytes: [UInt8]) throws(PolicyRejection) {
    guard bytes.count <= TrustPolicy.bytesMax else {
      throw PolicyRejection(line: 1, reason: .tooLong(byteCount: bytes.count))
    }
    var parser = PolicyParser()
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)[...]
    let rest = lines.popLast() ?? []
    for line in lines { try parser.read(line) }
    guard rest.isEmpty else { throw PolicyRejection(line: parser.line + 1, reason: .unfinishedLine) }
    self = try parser.finished()
  }
}

/// Reads a policy line by line, each with the names that the lines before have defined.
private struct PolicyParser {
  private(set) var line = 0
  private var policy = TrustPolicy()
  private var logLines: [[UInt8]: Int] = [:]
  private var witnessLines: [[UInt8]: Int] = [:]
  private var keyLines: [KeyName: Int] = [:]
  private var nameLines: [ByteText: Int] = [:]
  private var memberLines: [ByteText: Int] = [:]
  private var quorumLine: Int?

  private struct KeyName: Hashable {
    let name: ByteText
    let id: UInt32
  }

  mutating func read(_ text: ArraySlice<UInt8>) throws(PolicyRejection) {
    line += 1
    for c in text where c != 0x09 && c < 0x20 || c == 0x7F { throw refused(.octet(c)) }
    let words = text.split { $0 == 0x20 || $0 == 0x09 }
    guard let keyword = words.first, keyword.first != UInt8(ascii: "#") else { return }
    let rest = words.dropFirst().map { ByteText($0) }
    switch String(decoding: keyword, as: UTF8.self) {
    case "log": try readLog(rest)
    case "witness": try readWitness(rest)
    case "group": try readGroup(rest)
    case "quorum": try readQuorum(rest)
    default: throw refused(.unknownKeyword(ByteText.shown(keyword, bytesMax: 40)))
    }
  }

  func finished() throws(PolicyRejection) -> TrustPolicy {
    guard quorumLine != nil else { throw PolicyRejection(line: line + 1, reason: .noQuorum) }
    return policy
  }

  private mutating func readLog(_ words: [ByteText]) throws(PolicyRejection) {
    guard (1...2).contains(words.count) else { throw refused(.words(wanted: "log VKEY [URL]")) }
    guard policy.logs.count < TrustPolicy.linesMax else { throw refused(.tooMany("logs")) }
    let key = try readKey(words[0], .ed25519)
    if let first = logLines.updateValue(line, forKey: key.publicKey) { throw refused(.duplicateKey(firstLine: first)) }
    policy.logs.append(TrustPolicy.Log(key: key, url: words.count > 1 ? words[1] : nil))
  }

  private mutating func readWitness(_ words: [ByteText]) throws(PolicyRejection) {
    guard (2...3).contains(words.count) else { throw refused(.words(wanted: "witness NAME VKEY [URL]")) }
    guard policy.witnesses.count < TrustPolicy.linesMax else { throw refused(.tooMany("witnesses")) }
    try define(words[0])
    let key = try readKey(words[1], .cosignature)
    if let first = witnessLines.updateValue(line, forKey: key.publicKey) {
      throw refused(.duplicateKey(firstLine: first))
    }
    policy.witnesses.append(TrustPolicy.Witness(name: words[0], key: key, url: words.count > 2 ? words[2] : nil))
  }

  private mutating func readGroup(_ words: [ByteText]) throws(PolicyRejection) {
    guard words.count >= 3 else { throw refused(.words(wanted: "group NAME any|all|NUMBER MEMBER...")) }
    guard policy.groups.count < TrustPolicy.linesMax else { throw refused(.tooMany("groups")) }
    let members = Array(words[2...])
    let threshold: Int
    switch words[1] {
    case "any": threshold = 1
    case "all": threshold = members.count
    default:
      guard let number = CanonicalDecimal.value(words[1].bytes, max: UInt64(members.count)), number > 0 else {
        throw refused(.threshold(words[1].description, members: members.count))
      }
      threshold = Int(number)
    }
    for member in members {
      guard member != "none" else { throw refused(.reservedName) }
      guard nameLines[member] != nil else { throw refused(.unknownName(member.description)) }
      if let first = memberLines.updateValue(line, forKey: member) {
        throw refused(.memberTwice(member.description, firstLine: first))
      }
    }
    // Only now: a group is no member of itself.
    try define(words[0])
    policy.groups.append(TrustPolicy.Group(name: words[0], threshold: threshold, members: members))
  }

  private mutating func readQuorum(_ words: [ByteText]) throws(PolicyRejection) {
    guard words.count == 1 else { throw refused(.words(wanted: "quorum NAME or quorum none")) }
    if let first = quorumLine { throw refused(.secondQuorum(firstLine: first)) }
    quorumLine = line
    guard words[0] != "none" else { return policy.quorum = .none }
    guard nameLines[words[0]] != nil else { throw refused(.unknownName(words[0].description)) }
    policy.quorum = .member(words[0])
  }

  private mutating func readKey(
    _ word: ByteText, _ kind: NoteVerifierKey.Kind
  ) throws(PolicyRejection) -> NoteVerifierKey {
    let key: NoteVerifierKey
    do { key = try NoteVerifierKey(parsing: word.bytes) } catch { throw refused(.key(error)) }
    guard key.kind == kind else { throw refused(.keyKind(key.kind, wanted: kind)) }
    let name = KeyName(name: key.name, id: key.keyID)
    let lines = kind == .ed25519 ? logLines : witnessLines
    if lines[key.publicKey] == nil, let first = keyLines.updateValue(line, forKey: name) {
      throw refused(.ambiguousKey(firstLine: first))
    }
    return key
  }

  private mutating func define(_ name: ByteText) throws(PolicyRejection) {
    guard name != "none" else { throw refused(.reservedName) }
    if let first = nameLines.updateValue(line, forKey: name) {
      throw refused(.duplicateName(name.description, firstLine: first))
    }
  }

  private func refused(_ reason: PolicyRejection.Reason) -> PolicyRejection {
    PolicyRejection(line: line, reason: reason)
  }
}
