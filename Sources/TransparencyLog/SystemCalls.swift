#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The calls that make bytes durable. Tests put failing ones in their place.
package struct SystemCalls: Sendable {
  package var write: @Sendable (_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int
  package var fsync: @Sendable (_ descriptor: CInt) -> CInt
  package var rename: @Sendable (_ from: String, _ to: String) -> CInt

  package init(
    write: @escaping @Sendable (CInt, UnsafeRawPointer, Int) -> Int, fsync: @escaping @Sendable (CInt) -> CInt,
    rename: @escaping @Sendable (String, String) -> CInt
  ) {
    self.write = write
    self.fsync = fsync
    self.rename = rename
  }

  package static let system = SystemCalls(
    write: { descriptor, bytes, count in systemWrite(descriptor, bytes, count) },
    fsync: { descriptor in systemSynchronise(descriptor) },
    rename: { from, to in systemRename(from, to) })
}

private let systemWrite = write
private let systemSynchronise = fsync
private let systemRename = rename
