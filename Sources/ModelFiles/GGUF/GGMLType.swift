/// The element types of ggml tensors, by the numbers that GGUF files store.
///
/// Source: `enum ggml_type` of ggml.h, including those that were removed from it.
struct GGMLType: Equatable {
  let number: UInt32

  private static let names: [UInt32: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 4: "Q4_2", 5: "Q4_3", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
    10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS",
    18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32",
    27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0",
    35: "TQ2_0", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0",
    42: "Q2_0",
  ]

  var name: String { GGMLType.names[number] ?? "of type \(number), which ggml does not have" }

  /// How rows of this type are read; nil when they cannot be.
  var encoding: SourceTensor.Encoding? {
    guard let name = GGMLType.names[number] else { return nil }
    return FloatFormat(rawValue: name).map { .floats($0) } ?? BlockFormat(rawValue: name).map { .blocks($0) }
  }

  static let supportedNames = FloatFormat.allCases.map(\.rawValue) + BlockFormat.allCases.map(\.rawValue)
}
