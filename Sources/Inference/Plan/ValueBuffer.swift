import CKernels
import ModelGraph

/// Where one value of the graph lies for every row of a chunk.
///
/// Several values share memory when their lives do not overlap.
struct ValueBuffer {
  enum Kind { case residual, act16, act32, heads16, heads32 }

  let kind: Kind
  /// Elements per row.
  let width: Int
  /// Exponents per row.
  let heads: Int
  let rows: UnsafeMutableRawPointer
  let rowBytes: Int
  /// Shape: rows × heads. Unused by residuals.
  let exponents: UnsafeMutablePointer<Int32>
  /// act16 only: what `linear8` reads. Shape: rows × planeBytes.
  let planes: UnsafeMutableRawPointer
  let planeBytes: Int

  func residual(_ row: Int) -> UnsafeMutablePointer<Int64> { pointer(row) }
  func int16(_ row: Int) -> UnsafeMutablePointer<Int16> { pointer(row) }
  func int32(_ row: Int) -> UnsafeMutablePointer<Int32> { pointer(row) }
  func exponents(_ row: Int) -> UnsafeMutablePointer<Int32> { exponents + row * heads }
  func planes(_ row: Int) -> UnsafeMutableRawPointer { planes + row * planeBytes }

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
    }
  }
}

/// What a value needs per row; values of equal shape can take each other's place.
struct ValueShape: Hashable {
  let kind: ValueBuffer.Kind
  let width: Int
  let heads: Int

  init(_ node: GraphNode) {
    width = node.width
    switch node.op {
    case .embed, .embedPosition, .layerNorm, .add, .addResiduals: (kind, heads) = (.residual, 1)
    case .rmsNorm, .quantise, .mergeHeads, .gated, .activate: (kind, heads) = (.act16, 1)
    case .linear, .addBias, .normHeads, .rope, .softcap, .expertLinear, .expertSum: (kind, heads) = (.act32, 1)
    case .quantiseHeads(let count, _): (kind, heads) = (.heads16, count)
    case .attention(let attention): (kind, heads) = (.heads32, attention.heads)
    case .route: preconditionFailure("the kernels do not have this operator yet")
    }
  }

  var rowBytes: Int {
    switch kind {
    case .residual: 8 * width
    case .act16, .heads16: 2 * width
    case .act32, .heads32: 4 * width
    }
  }

  /// Rows start at multiples of 64 bytes.
  var rowStride: Int { (rowBytes + 63) & ~63 }
  var planeBytes: Int { kind == .act16 ? 2 * Int(ev_padded_in(Int32(width))) : 0 }
}
