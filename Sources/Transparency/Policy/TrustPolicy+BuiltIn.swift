extension TrustPolicy {
  /// The policy of someone who has none: that one log, and no witness.
  ///
  /// Soundness: it shows that the log's key has signed, and nothing against whoever holds that key: he can show
  /// everyone another record.
  public init(log: NoteVerifierKey) {
    precondition(log.kind == .ed25519, "a key of type 0x04 is a witness's")
    logs = [Log(key: log, url: nil)]
  }
}
