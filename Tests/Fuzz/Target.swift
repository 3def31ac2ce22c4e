// What libFuzzer calls; scripts/fuzz.sh builds it. The parser is chosen by EVIDENT_FUZZ_PARSER.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let accepts: @Sendable ([UInt8]) -> Bool = {
  let name = getenv("EVIDENT_FUZZ_PARSER").map { String(cString: $0) } ?? ""
  if let parser = FuzzedParser(rawValue: name) { return parser.accepts }
  if let parser = FuzzedEvidence(rawValue: name) { return parser.accepts }
  fatalError("EVIDENT_FUZZ_PARSER names no parser: \(name)")
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  _ = accepts(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}
