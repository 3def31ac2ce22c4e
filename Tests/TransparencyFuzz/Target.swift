// What libFuzzer calls; scripts/fuzz.sh builds it. The parser is chosen by EVIDENT_FUZZ_PARSER.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

private let parser: FuzzedParser = {
  let name = getenv("EVIDENT_FUZZ_PARSER").map { String(cString: $0) } ?? ""
  guard let parser = FuzzedParser(rawValue: name) else { fatalError("EVIDENT_FUZZ_PARSER names no parser: \(name)") }
  return parser
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  _ = parser.accepts(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}
