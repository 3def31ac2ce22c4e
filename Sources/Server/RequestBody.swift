import Digests
import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
  /// The body as JSON; too long, not UTF-8 or not JSON is the caller's error.
  mutating func json(bytesMax: Int) async throws -> JSON {
    let buffer: ByteBuffer
    do {
      buffer = try await collectBody(upTo: bytesMax)
    } catch is NIOTooManyBytesError {
      throw APIError(.contentTooLarge, "the request body is larger than \(bytesMax) bytes")
    }
    do {
      return try JSON.parse(Array(buffer.readableBytesView), bytesMax: bytesMax, depthMax: 32)
    } catch {
      throw APIError(.badRequest, "the request body is not valid JSON: \(error)")
    }
  }
}
