/// Everything an operator can set about the server.
public struct ServerOptions: Sendable {
  public var host: String
  /// 0 lets the system choose; the line that says "listening" names the choice.
  public var port: Int
  /// How long openings are kept so that callers can fetch evidence; 0 = never kept.
  public var retainSeconds: Int
  /// Requests waiting or running before new ones are answered with 429.
  public var queueMax: Int
  /// The largest request body.
  public var bodyBytesMax: Int
  /// How long a shutdown waits for streams to finish.
  public var drainSecondsMax: Int

  public init(
    host: String = "127.0.0.1", port: Int = 8462, retainSeconds: Int = 86_400, queueMax: Int = 64,
    bodyBytesMax: Int = 4 << 20, drainSecondsMax: Int = 30
  ) {
    self.host = host
    self.port = port
    self.retainSeconds = retainSeconds
    self.queueMax = queueMax
    self.bodyBytesMax = bodyBytesMax
    self.drainSecondsMax = drainSecondsMax
  }
}
