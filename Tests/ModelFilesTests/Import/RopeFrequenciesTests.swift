import Digests
import ModelFiles
import Testing

@Suite struct RopeFrequenciesTests {
  enum Frequencies {}

  /// θ, head dimension, first and last frequency, and the digest of all as big-endian bytes: from
  /// 120-digit decimal arithmetic.
  @Test(arguments: [
    (
      "10000.0", 64, 0x28be_60db_9391_054a, 0x16412e4ffae4b,
      "ba1eef1fd460df73c9ffdb1583c7e1df80fcd2033abe1ed3bf8ad04d9196e0cd"
    ),
    (
      "500000", 128, 0x28be_60db_9391_054a, 0x68e3fbde7a7,
      "1b26f65756b5b273f1ba08dfda7766ee3c29ef82104686198ee47a34a4fb0fef"
    ),
    (
      "1e6", 256, 0x28be_60db_9391_054a, 0x2f9794e242f,
      "75efbfbf984abe2bf6a460c09f3412caf7164dbac3ffa2956ebcd490b161f2a7"
    ),
    (
      "10000", 4, 0x28be_60db_9391_054a, 0x684dc4c179c52c,
      "fbdda7df65d0a898e5214ef3317769660a5095b0c85afbaa5642119e3c7f6690"
    ),
    (
      "1", 16, 0x28be_60db_9391_054a, 0x28be60db9391054a,
      "ba45fd0d5ef13a227dd449c150434422a343322fe5325a1804cca3fc2f5bd6ac"
    ),
    (
      "1.5", 10, 0x28be_60db_9391_054a, 0x1d74f79e16cdc286,
      "3b86ae2432fa20ed63ec86fd3d7af734f9b0bed575581cf07194f071337abacb"
    ),
    (
      "999999999999999", 128, 0x28be_60db_9391_054a, 0x13ac,
      "a55a2893460d545a818ed35ee30c30ae6f34448349b205b3afa019fd954d3716"
    ),
    (
      "123456.789", 100, 0x28be_60db_9391_054a, 0x1b57f4c1cffa,
      "247e4e541857be51d9500af2075e1c1d9af2ececc0812e1e23ae618b5f5507b1"
    ),
    ("1e15", 256, 0x28be_60db_9391_054a, 0xf05, "7516a379c4716e960d8762fabdde9d373875f72d9611a10109208a3cab511082"),
  ])
  func vectors(_ theta: String, _ headDimension: Int, _ first: UInt64, _ last: UInt64, _ digest: String) throws {
    let number = try #require(JSON.parse(theta).number)
    let values = try RopeFrequencies.values(theta: number, width: headDimension)
    #expect(values.count == headDimension / 2)
    #expect(values.first == first && values.last == last)
    #expect(Digest<Frequencies>(of: values.flatMap(\.bigEndianBytes)).hex == digest)
  }

  @Test(arguments: [
    "0", "-1", "0.999", "1e16", "1.0000000000000000001", "12345678901234567890", "1e400", "-1e-9223372036854775808",
  ])
  func otherThetasAreRefused(_ theta: String) throws {
    let number = try #require(JSON.parse(theta).number)
    #expect(throws: ImportRejection.self) { try RopeFrequencies.values(theta: number, width: 64) }
  }
}
