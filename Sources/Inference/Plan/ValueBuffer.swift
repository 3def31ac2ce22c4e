import CKernels
import ModelGraph

/// Where one value of the graph lies for every row of a chunk.
///
/// Several values share memory when their lives do not overlap.
struct ValueBuffer {
  enum Kind { case residual, act16, act32, heads16, heads32, routes }

  let kind: Kind
  /// Elements per row; of routes the number of slots.
  let width: Int
  /// Exponents per row.
  let heads: Int
  let rows: UnsafeMutableRawPointer
  let rowBytes: Int
  /// Shape: rows × heads. Unused by residuals and routes.
  let exponents: UnsafeMutablePointer<Int32>
  /// act16 only: what products read. Shape: rows × parts × planeBytes.
  let planes: UnsafeMutableRawPointer
  /// The inputs of different experts lie side by side and are read one by one; otherwise one part.
  let parts: Int
  let groupSums: Bool
  /// Of one part.
  let planeBytes: Int

  func residual(_ row: Int) -> UnsafeMutablePointer<Int64> { pointer(row) }
  func int16(_ row: Int) -> UnsafeMutablePointer<Int16> { pointer(row) }
  func int32(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) }
  func exponents(_ row: Int) -> UnsafeMutablePointer<Int32> { exponents + row * heads }
  func planes(_ row: Int, part: Int = 0) -> UnsafeMutableRawPointer { planes + (row * parts + part) * planeBytes }
  func experts(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) }
  func shares(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) + width }

  @inline(__always)
  private func pointer<Element>(_ row: Int) -> UnsafeMutablePointer<Element> {
    (rows + row * rowBytes).assumingMemoryBound(to: Element.self)
  }

  /// What a trace digests, for one row.
  func value(_ row: Int) -> Value {
    func list<Element>(_ pointer: UnsafeMutablePointer<Element>, _ count: Int) -> [Element] {
      Array(UnsafeBufferPointer(start: pointer, count: count))
    }
    let exponents = list(exponents(row), heads).map { Int($0) }
    switch kind {
    case .residual: return .residual(Residual(list(residual(row), width).map { Int($0) }))
    case .act16: return .act16(Act16(list(int16(row), width), exponent: exponents[0]))
    case .act32: return .act32(Act32(list(int32(row), width), exponent: exponents[0]))
    case .heads16: return .heads16(Heads16(list(int16(row), width), exponents: exponents))
    case .heads32: return .heads32(Heads32(list(int32(row), width), exponents: exponents))
    case .routes: return .routes(Routes(ids: list(experts(row), width), shares: list(shares(row), width)))
    }
  }
}
