import CKernels

/// Which set of kernels computes: one per instruction set, all with equal results.
public enum KernelChoice: Sendable, Equatable, CustomStringConvertible {
  /// The fastest that this machine has.
  case automatic
  /// The set of that name, such as `scalar`, `avx2`, `avx512vnni` or `neon`.
  case named(String)

  /// Reads `auto` or the name of a set; whether the set exists is found out when an engine starts.
  public init(_ text: String) { self = text == "auto" ? .automatic : .named(text) }

  public var description: String {
    switch self {
    case .automatic: "auto"
    case .named(let name): name
    }
  }

  /// The sets that this machine can run, fastest first; `scalar` is always among them.
  public static var available: [String] {
    var names: [String] = []
    while let name = ev_kernels_name(Int32(names.count)) { names.append(String(cString: name)) }
    return names
  }

  /// - Throws: ``EngineFailure/kernelsNotAvailable(_:available:)``.
  func resolved() throws(EngineFailure) -> UnsafePointer<ev_kernel_set> {
    switch self {
    case .automatic: return ev_kernels_best()
    case .named(let name):
      guard let kernels = ev_kernels_by_name(name) else {
        throw .kernelsNotAvailable(name, available: KernelChoice.available)
      }
      return kernels
    }
  }
}
