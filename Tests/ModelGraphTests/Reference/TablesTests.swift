import Digests
import Foundation
import ModelGraph
import Testing

@Suite struct TablesTests {
  @Test func digestsAreThoseOfTheSpecification() {
    #expect(Tables.digest(of: Tables.cosine).hex == "a447585638f725808251cb0fc79d132e61d0ca6e6befd99636b8e08597682906")
    #expect(Tables.digest(of: Tables.sigmoid).hex == "9c49068881b65aaaddfdfb13a993e607228e422c4aa9ad4ad873cec64960949b")
    #expect(
      Tables.digest(of: Tables.exponential).hex == "be1b296bd1ef626c30e3f6dc2717fe1f51dbc860d44b75513c11d0b06d6cbde7")
    #expect(
      Tables.digest(of: Tables.normalTanh).hex == "73c0ade914a74f76d22fa97bbeb2c418b847882da0af00be02bf32dba2830161")
    #expect(Tables.digest(of: Tables.normal).hex == "9c0730908822496652470343d39562f340c080bb4daabe985bf226b88d088660")
    #expect(Tables.digest(of: Tables.tanh).hex == "ff40c96db36cfa2d9f0c207f4c6b32f7bdc849efbf653b9ce7f6276d3cd1c958")
  }

  /// Floating point is good enough to see that an entry is the nearest integer unless it is near a tie.
  @Test func entriesAreNearest() {
    func worst(_ table: [Int32], _ real: (Double) -> Double) -> Double {
      table.enumerated().map { abs(Double($1) - real(Double($0))) }.max()!
    }
    #expect(worst(Tables.cosine) { 32768 * cos(2 * .pi * $0 / 65536) } < 0.5 + 1e-9)
    #expect(worst(Tables.sigmoid) { 32768 / (1 + exp(-$0 / 256)) } < 0.5 + 1e-9)
    let root = sqrt(2 / .pi)
    #expect(
      worst(Tables.normalTanh) { i in
        16384 * (1 + tanh(root * (i / 256 + 0.044715 * pow(i / 256, 3))))
      } < 0.5 + 1e-9)
    #expect(worst(Tables.normal) { 16384 * (1 + erf($0 / 256 / sqrt(2))) } < 0.5 + 1e-9)
    #expect(worst(Tables.tanh) { 16_777_216 * tanh($0 / 512) } < 0.5 + 1e-7)
    for table in [Tables.normalTanh, Tables.normal, Tables.tanh] {
      #expect(table.count == 4097 && zip(table, table.dropFirst()).allSatisfy { $0 <= $1 })
    }
    #expect(worst(Tables.exponential) { 32768 * exp2(-$0 / 4096) } < 1.4)
    #expect(Tables.cosine.count == 65536 && Tables.sigmoid.count == 4097 && Tables.exponential.count == 4096)
  }

  /// Sampling relies on it: a candidate further down the order never weighs more.
  @Test func powersOfTwoDescend() {
    let t = Tables.exponential
    #expect(t[0] == 32768)
    for f in 1..<4096 { #expect(t[f] <= t[f - 1] && t[f] < 32768) }
    #expect(2 * t[4095] >= t[0])
  }
}
