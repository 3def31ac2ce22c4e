import Digests

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files and settings that tests are given from outside.
enum TestFiles {
  /// Nil when the variable is unset or empty.
  static func environment(_ name: String) -> String? {
    guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
    return value
  }

  /// The folder of vectors that other projects wrote; nil when `EVIDENT_SHARED` is unset.
  static let shared = environment("EVIDENT_SHARED")

  struct Unreadable: Error { let path: String }

  static func bytes(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw Unreadable(path: path) }
    defer { fclose(file) }
    var out: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return out }
      out.append(contentsOf: buffer[..<count])
    }
  }

  static func names(in folder: String) throws -> [String] {
    guard let directory = opendir(folder) else { throw Unreadable(path: folder) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}

/// A small generator of reproducible noise (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  let seed: UInt64

  /// Takes the seed from the environment, and prints it.
  init(_ variable: String, default seed: UInt64) {
    self.seed = TestFiles.environment(variable).flatMap { UInt64($0) } ?? seed
    state = self.seed
    print("\(variable)=\(self.seed)")
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
