import AsyncHTTPClient
import Digests
import Foundation
import NIOCore
import NIOHTTP1
public import Networking
public import Transparency
public import TransparencyLog

/// A log somewhere else, which is not believed: its checkpoints and proofs are verified.
public struct RemoteLog: LogClient {
  public let key: NoteVerifierKey
  /// The log's prefix.
  public let url: String
  private let client: HTTPConnections

  /// - Parameter connections: to the log at once.
  /// - Throws: if the environment's settings of the network cannot be used.
  public init(url: String, key: NoteVerifierKey, connections: Int = 64) throws(NetworkSettingRejection) {
    self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    self.key = key
    client = try WitnessLinks.makeClient(connections: connections)
  }

  public func shutdown() async { await client.shutdown() }

  public func submit(_ entry: [UInt8]) async throws -> SequencedEntry {
    var request = HTTPClientRequest(url: url + "/entries")
    request.method = .POST
    request.body = .bytes(ByteBuffer(bytes: entry))
    let (status, body) = try await answer(request)
    guard status == 200 else {
      throw RemoteLogFailure.refused(url: url, status: status, text: RemoteLog.line(body))
    }
    guard let json = try? JSON.parse(body, bytesMax: 1024, depthMax: 4), let index = json["index"]?.integer, index >= 0,
      case .bool(let isDuplicate)? = json["duplicate"]
    else { throw RemoteLogFailure.notAnAnswer(url: url, what: "entries") }
    return SequencedEntry(index: UInt64(index), isDuplicate: isDuplicate)
  }

  public func publishedSize() async throws -> UInt64 {
    let (status, body) = try await answer(HTTPClientRequest(url: url + "/checkpoint"))
    if status == 404 { return 0 }
    guard status == 200 else { throw RemoteLogFailure.refused(url: url, status: status, text: RemoteLog.line(body)) }
    let signed = try SignedCheckpoint(parsing: body)
    _ = try signed.verified(by: [key])
    return signed.checkpoint.size
  }

  public func proof(of leaf: MerkleHash) async throws -> ProofAnswer {
    let (status, body) = try await answer(HTTPClientRequest(url: url + "/proof/\(Hex.string(leaf.bytes))"))
    switch status {
    case 200:
      let evidence = try InclusionEvidence(parsing: body)
      _ = try evidence.signed.verified(by: [key])
      try evidence.proof.verify(leaf: leaf, root: evidence.signed.checkpoint.root)
      return .logged(evidence)
    case 202:
      guard let json = try? JSON.parse(body, bytesMax: 16 << 10, depthMax: 4), let index = json["index"]?.integer,
        index >= 0
      else { throw RemoteLogFailure.notAnAnswer(url: url, what: "proof") }
      return .pending(index: UInt64(index), reason: String((json["reason"]?.string ?? "").prefix(500)))
    case 404: return .unknown
    default: throw RemoteLogFailure.refused(url: url, status: status, text: RemoteLog.line(body))
    }
  }

  private func answer(_ request: HTTPClientRequest) async throws -> (status: Int, body: [UInt8]) {
    do {
      let response = try await client.execute(request, timeout: .seconds(30))
      let body = try await response.body.collect(upTo: InclusionEvidence.bytesMax)
      return (Int(response.status.code), Array(body.readableBytesView))
    } catch { throw LogTransportFailure(url: url, error) }
  }

  private static func line(_ body: [UInt8]) -> String {
    String(decoding: body.prefix { $0 != 0x0A }.prefix(200), as: UTF8.self)
  }
}

/// What a log somewhere else says instead of an answer.
public enum RemoteLogFailure: Error, Sendable, CustomStringConvertible {
  case refused(url: String, status: Int, text: String)
  case notAnAnswer(url: String, what: String)

  public var description: String {
    switch self {
    case .refused(let url, let status, let text): "the log \(url) answers \(status): \(text)"
    case .notAnAnswer(let url, let what): "the log \(url) answers \(what) with something else; is the URL right?"
    }
  }
}
