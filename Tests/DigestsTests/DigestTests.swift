import Testing

import Digests

@Suite struct DigestTests {
  enum Anything {}

  @Test func sha256OfABC() {
    // FIPS 180-4 example.
    let digest = Digest<Anything>(of: Array("abc".utf8))
    #expect(digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Digest<Anything>(digest.description) == digest)
    #expect(Digest<Anything>("sha256:" + digest.hex.uppercased()) == nil)
  }

  @Test func partsCannotSlideIntoEachOther() {
    let a: Digest<Anything> = DomainTag.seed.digest([1, 2], [3])
    let b: Digest<Anything> = DomainTag.seed.digest([1], [2, 3])
    #expect(a != b)
  }

  @Test func readerStopsAtTheEnd() throws {
    var reader = ByteReader([1, 2, 3])
    #expect(try reader.readInteger(UInt16.self) == 0x0201)
    #expect(throws: ByteReaderError(wanted: 4, left: 1)) { try reader.readInteger(UInt32.self) }
    #expect(throws: ByteReaderError(wanted: -1, left: 1)) { try reader.read(count: -1) }
  }
}
