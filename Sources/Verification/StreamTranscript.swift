import Digests
public import Receipts

/// A saved stream of server-sent events, as the API sends an answer.
///
/// Members of events that are not about text or checkpoints are passed over: they are the API's and not signed.
public struct StreamTranscript: Sendable {
  public struct Event: Sendable, Equatable {
    public let text: String
    public let checkpoint: StreamCheckpoint?
    public let finishReason: String?
  }

  public let events: [Event]
  /// The stream has its end mark.
  public let isComplete: Bool
  /// Bytes of an event at the end that has not arrived whole.
  public let bytesCut: Int

  /// - Throws: ``StreamTranscriptRejection`` naming the event, from 1.
  public init(_ bytes: [UInt8]) throws(StreamTranscriptRejection) {
    guard bytes.count <= EvidenceLimits.fileBytesMax else { throw .tooLong(byteCount: bytes.count) }
    var events: [Event] = []
    var isComplete = false
    var start = bytes.startIndex
    var number = 0
    while let end = StreamTranscript.endOfEvent(bytes, from: start) {
      number += 1
      let lines = bytes[start..<end].split(separator: 0x0A)
      start = end
      // Comments and other fields than data are not ours.
      var values: [ArraySlice<UInt8>] = []
      for line in lines where line.starts(with: "data:".utf8) {
        var value = line.dropFirst(5)
        if value.first == 0x20 { value = value.dropFirst() }
        if value.last == 0x0D { value = value.dropLast() }
        values.append(value)
      }
      let data = Array(values.joined(separator: [0x0A]))
      if data.isEmpty { continue }
      guard !isComplete else { throw .event(number, "it comes after the end mark") }
      if data.elementsEqual("[DONE]".utf8) {
        isComplete = true
        continue
      }
      do { events.append(try StreamTranscript.event(data)) } catch { throw .event(number, error.reason) }
    }
    self.events = events
    self.isComplete = isComplete
    bytesCut = bytes.endIndex - start
  }

  private struct Refused: Error {
    let reason: String
  }

  /// The end of the first empty line from there on.
  private static func endOfEvent(_ bytes: [UInt8], from start: Int) -> Int? {
    var lineStart = start
    for i in start..<bytes.endIndex where bytes[i] == 0x0A {
      let line = bytes[lineStart..<i]
      if line.isEmpty || line.elementsEqual([0x0D]) { return i + 1 }
      lineStart = i + 1
    }
    return nil
  }

  private static func event(_ data: [UInt8]) throws(Refused) -> Event {
    let json: JSON
    do {
      json = try JSON.parse(data, bytesMax: EvidenceLimits.fileBytesMax, depthMax: EvidenceLimits.depthMax)
    } catch { throw Refused(reason: "it is not JSON: \(error)") }
    var text = ""
    var finishReason: String?
    if let choice = json["choices"]?.array?.first {
      text = choice["delta"]?["content"]?.string ?? choice["text"]?.string ?? ""
      finishReason = choice["finish_reason"]?.string
    }
    guard let member = json["evident"] else {
      return Event(text: text, checkpoint: nil, finishReason: finishReason)
    }
    do {
      return Event(text: text, checkpoint: try StreamCheckpoint(member), finishReason: finishReason)
    } catch { throw Refused(reason: error.description) }
  }
}

/// Why bytes are not a saved stream.
public enum StreamTranscriptRejection: Error, Sendable, Equatable, CustomStringConvertible {
  case tooLong(byteCount: Int)
  /// Counted from 1.
  case event(Int, String)

  public var description: String {
    switch self {
    case .tooLong(let count): "the stream is \(count) bytes long; the limit is \(EvidenceLimits.fileBytesMax)"
    case .event(let number, let reason): "event \(number) of the stream: \(reason)"
    }
  }
}
