import Digests
public import Transparency

/// A log whose checkpoints a witness cosigns.
public struct WitnessedLog: Sendable, Equatable {
  public let origin: ByteText
  /// Of type 0x01, each called as the origin: several while a log changes its key.
  public let keys: [NoteVerifierKey]
  /// SHA-256 of the origin in lower-case hex: where its record lies and is served.
  public let originHash: String

  private init(origin: ByteText, keys: [NoteVerifierKey]) {
    self.origin = origin
    self.keys = keys
    originHash = WitnessedLog.hash(of: origin)
  }

  /// SHA-256 of an origin in lower-case hex.
  public static func hash(of origin: ByteText) -> String { Digest<WitnessedLog>(of: origin.bytes).hex }

  /// The logs of a policy; its witnesses and its quorum do not matter here.
  public static func logs(of policy: TrustPolicy) -> [WitnessedLog] {
    var origins: [ByteText] = []
    var keys: [ByteText: [NoteVerifierKey]] = [:]
    for log in policy.logs {
      if keys[log.key.name] == nil { origins.append(log.key.name) }
      keys[log.key.name, default: []].append(log.key)
    }
    return origins.map { WitnessedLog(origin: $0, keys: keys[$0] ?? []) }
  }
}
