import CKernels

/// A linear weight, or one expert's part of it, in the order in which the kernels read it.
struct PackedLinear: @unchecked Sendable {
  // Sendable because what it points to is not written after packing.
  enum Format {
    case eight(ev_linear8)
    case four(ev_linear4)
    case sixteen(ev_linear16)

    /// The row of a tied head as a residual. Shape: columns.
    func embed(_ token: Int32, scale: UInt32, exponent: Int32, into x: UnsafeMutablePointer<Int64>) {
      switch self {
      case .eight(var head): ev_embed_linear8(&head, token, scale, exponent, x)
      case .four(var head): ev_embed_linear4(&head, token, scale, exponent, x)
      case .sixteen(var head): ev_embed_linear16(&head, token, scale, exponent, x)
      }
    }
  }

  let format: Format
  /// What a product adds to the exponent of its input.
  let exponent: Int32
  /// Outputs.
  let rows: Int
  /// Inputs.
  let columns: Int

  var paddedRows: Int { Int(ev_padded_out(Int32(rows))) }
  var paddedColumns: Int { Int(ev_padded_in(Int32(columns))) }
  /// Units of which threads take some each.
  var blocks: Int { paddedRows / Int(EV_BLOCK_OUTPUTS) }

  /// Bytes of the packed integers, multipliers and sums aside.
  var byteCount: Int {
    switch format {
    case .eight: paddedRows * paddedColumns
    case .four(let weight): ev_linear4_bytes(Int32(rows), Int32(columns), weight.minimums)
    case .sixteen: 2 * paddedRows * paddedColumns
    }
  }

  /// Whether activations need the sums of their groups.
  var readsGroupSums: Bool {
    switch format {
    case .eight: false
    case .four, .sixteen: true
    }
  }

  /// The outputs of some blocks for some rows of activations.
  ///
  /// - Parameters:
  ///   - planes: shape rows × planeBytes.
  ///   - t: where output 0 of the first row goes, or would go; `stride` elements from row to row.
  @inline(__always)
  func multiply(
    _ kernels: UnsafePointer<ev_kernel_set>, _ planes: UnsafeRawPointer, planeBytes: Int, rows: Int,
    blocks: Range<Int>, into t: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    let (first, end) = (Int32(blocks.lowerBound), Int32(blocks.upperBound))
    switch format {
    case .eight(var weight): kernels.pointee.linear8(&weight, planes, planeBytes, Int32(rows), first, end, t, stride)
    case .four(var weight): kernels.pointee.linear4(&weight, planes, planeBytes, Int32(rows), first, end, t, stride)
    case .sixteen(var weight): kernels.pointee.linear16(&weight, planes, planeBytes, Int32(rows), first, end, t, stride)
    }
  }
}
