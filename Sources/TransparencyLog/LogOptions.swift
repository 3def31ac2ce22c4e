/// How a log works, with limits on everything that waits.
public struct LogOptions: Sendable {
  /// Between the beginnings of two batches, when there is work.
  public var batchInterval: Duration
  /// Entries that may wait for their batch; more are refused until there is room.
  public var waitingMax: Int
  /// Bytes of them.
  public var waitingBytesMax: Int
  /// Entries of a batch.
  public var batchEntriesMax: Int
  /// So many do not wait for the interval: who sends much need not keep thousands under way at once.
  public var batchEntriesPrompt: Int
  /// Between two rounds of witnesses of which the first has failed: twice as long each time.
  public var retryDelays: ClosedRange<Duration>
  /// Between two questions to a witness that has not cosigned what is published: twice as long each time.
  public var reminderDelays: ClosedRange<Duration>
  /// What is sequenced and not published at the end is given so long.
  public var closingMax: Duration

  public init(
    batchInterval: Duration = .milliseconds(500), waitingMax: Int = 1 << 16, waitingBytesMax: Int = 64 << 20,
    batchEntriesMax: Int = 1 << 13, batchEntriesPrompt: Int = 1 << 8,
    retryDelays: ClosedRange<Duration> = .milliseconds(500)...(.seconds(5)),
    reminderDelays: ClosedRange<Duration> = .seconds(5)...(.seconds(60)), closingMax: Duration = .seconds(5)
  ) {
    self.batchInterval = batchInterval
    self.waitingMax = waitingMax
    self.waitingBytesMax = waitingBytesMax
    self.batchEntriesMax = batchEntriesMax
    self.batchEntriesPrompt = batchEntriesPrompt
    self.retryDelays = retryDelays
    self.reminderDelays = reminderDelays
    self.closingMax = closingMax
  }
}
