import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Networking
import Transparency
import TransparencyLog

/// A witness at a URL.
///
/// Source: C2SP tlog-witness, "add-checkpoint".
struct HTTPWitnessClient: WitnessClient {
  let client: HTTPConnections
  /// The prefix below which `add-checkpoint` is.
  let url: String
  static let answerBytesMax = 64 << 10
  static let secondsMax: Int64 = 10

  func addCheckpoint(_ body: [UInt8]) async throws -> WitnessAnswer {
    var request = HTTPClientRequest(url: url + (url.hasSuffix("/") ? "" : "/") + "add-checkpoint")
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
    request.body = .bytes(ByteBuffer(bytes: body))
    let response: HTTPClientResponse
    let text: [UInt8]
    do {
      response = try await client.execute(request, timeout: .seconds(HTTPWitnessClient.secondsMax))
      text = Array(try await response.body.collect(upTo: HTTPWitnessClient.answerBytesMax).readableBytesView)
    } catch { throw LogTransportFailure(url: url, error) }
    switch response.status.code {
    case 200:
      let lines = text.split(separator: 0x0A)
      // Unknown signature types may come too; what cannot be read is not ours.
      return .cosigned(lines.compactMap { try? NoteSignature(parsing: $0) })
    case 409:
      let digits = text.prefix { $0 != 0x0A }
      guard response.headers.first(name: "Content-Type") == "text/x.tlog.size", digits.count <= 19,
        let size = UInt64(String(decoding: digits, as: UTF8.self)), size <= UInt64(Int64.max)
      else { return .refused(status: 409, text: "without a size") }
      return .knows(size: size)
    case let status:
      let line = String(decoding: text.prefix { $0 != 0x0A }.prefix(200), as: UTF8.self)
      return .refused(status: Int(status), text: line.isEmpty ? "no reason" : line)
    }
  }
}

/// Why an HTTP request for the record had no answer.
package struct LogTransportFailure: Error, CustomStringConvertible {
  package let url: String
  package let reason: String
  package var description: String { "\(url): \(reason)" }

  package init(url: String, _ error: any Error) {
    self.url = url
    reason = ConnectionProblem(error).reason
  }
}
