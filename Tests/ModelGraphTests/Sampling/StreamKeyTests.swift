import Digests
import ModelGraph
import Testing

@Suite struct StreamKeyTests {
  enum Anything {}

  let model = Digest<ModelManifest>(of: [1])

  @Test func dependsOnEverythingItIsBoundTo() throws {
    let p = try SamplingParameters(temperatureMicros: 1_000_000, seed: 5, maxTokens: 4)
    let q = try SamplingParameters(temperatureMicros: 1_000_000, seed: 6, maxTokens: 4)
    let r = try SamplingParameters(temperatureMicros: 1_000_001, seed: 5, maxTokens: 4)
    let keys = [
      StreamKey(model: model, inputTokens: [1, 2], parameters: p, nonce: [9]),
      StreamKey(model: Digest(of: [2]), inputTokens: [1, 2], parameters: p, nonce: [9]),
      StreamKey(model: model, inputTokens: [1], parameters: p, nonce: [9]),
      StreamKey(model: model, inputTokens: [2, 1], parameters: p, nonce: [9]),
      StreamKey(model: model, inputTokens: [1, 2], parameters: q, nonce: [9]),
      StreamKey(model: model, inputTokens: [1, 2], parameters: r, nonce: [9]),
      StreamKey(model: model, inputTokens: [1, 2], parameters: p, nonce: []),
      StreamKey(model: model, inputTokens: [1, 2], parameters: p, nonce: [9, 0]),
    ]
    #expect(Set(keys.map(\.bytes)).count == keys.count)
    #expect(Set((0..<100).map { keys[0].draw(position: $0) }).count == 100)
  }

  /// The byte strings of section 7, spelled out.
  @Test func hashesTheBytesOfTheSpecification() throws {
    let p = try SamplingParameters(temperatureMicros: 1_000_000, seed: 0x0102_0304_0506_0708, maxTokens: 4)
    func hash(_ tag: String, _ parts: [UInt8]...) -> [UInt8] {
      var input = Array(tag.utf8) + [0]
      for part in parts { input += [0, 0, 0, 0, 0, 0, 0, UInt8(part.count)] + part }
      return Digest<Anything>(of: input).bytes
    }
    let input = hash("evident.tokens.in.v1", [1, 0, 0, 0, 0, 1, 0, 0])
    let key = hash("evident.seed.v1", model.bytes, input, p.digest.bytes, [1, 2, 3, 4, 5, 6, 7, 8], [0xAA])
    let streamKey = StreamKey(model: model, inputTokens: [1, 256], parameters: p, nonce: [0xAA])
    #expect(streamKey.bytes == key)
    let draw = hash("evident.draw.v1", key, [0, 0, 0, 0, 0, 0, 1, 2])
    #expect(streamKey.draw(position: 258) == draw.prefix(8).reduce(0) { $0 * 256 + UInt64($1) })
    // No seed counts as 0, yet the parameters differ.
    let none = try SamplingParameters(temperatureMicros: 1_000_000, maxTokens: 4)
    let zero = hash("evident.seed.v1", model.bytes, input, none.digest.bytes, [UInt8](repeating: 0, count: 8), [])
    #expect(StreamKey(model: model, inputTokens: [1, 256], parameters: none, nonce: []).bytes == zero)
  }
}
