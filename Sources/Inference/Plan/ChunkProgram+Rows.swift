import CKernels

extension ChunkProgram {
  /// One operator on one row.
  @inline(__always)
  func apply(_ operation: RowOperation, _ row: Int, _ scratch: UnsafeMutableRawPointer) {
    let set = kernels
    let out = operation.out
    switch operation.body {
    case .angles:
      tables.rotation(
        position: chunk.position(row), frequencies: frequencies, into: plan.angles + row * headDimension)
    case .embedTable(let values, let multipliers, let exponent):
      let token = Int(chunk.tokens[row])
      ev_embed_table16(values + token * out.width, Int32(out.width), multipliers[token], exponent, out.residual(row))
    case .embedLinear(var head, let exponent):
      ev_embed_linear8(&head, chunk.tokens[row], exponent, out.residual(row))
    case .rmsNorm(let x, let gain, let exponent):
      set.pointee.rms_norm(
        x.residual(row), Int32(x.width), gain, exponent, epsilon, out.int16(row), out.exponents(row), scratch)
      prepare(out, row)
    case .rope(let t, let heads):
      if t.rows != out.rows { copy(t, to: out, row) }
      let cosines = plan.angles + row * headDimension
      set.pointee.rope(out.int32(row), heads, Int32(headDimension), cosines, cosines + headDimension / 2)
    case .quantiseHeads(let t, let limit):
      set.pointee.quantise_heads(
        t.int32(row), Int32(out.heads), Int32(headDimension), limit, t.exponents(row)[0], out.int16(row),
        out.exponents(row))
    case .store(let keys, let values, let cache): store(keys, values, cache, row)
    case .mergeHeads(let t):
      set.pointee.merge_heads(
        t.int32(row), t.exponents(row), Int32(t.heads), Int32(headDimension), out.int16(row), out.exponents(row),
        scratch)
      prepare(out, row)
    case .swiglu(let gate, let up):
      tables.sigmaPairs.withUnsafeBufferPointer { pairs in
        set.pointee.swiglu(
          gate.int32(row), gate.exponents(row)[0], up.int32(row), up.exponents(row)[0], Int32(out.width),
          pairs.baseAddress, out.int16(row), out.exponents(row), scratch)
      }
      prepare(out, row)
    case .add(let x, let t, let fractionBits):
      if x.rows != out.rows { copy(x, to: out, row) }
      set.pointee.residual_add(
        out.residual(row), t.int32(row), Int32(out.width), t.exponents(row)[0] + fractionBits)
    }
  }

  private func prepare(_ value: ValueBuffer, _ row: Int) {
    kernels.pointee.prepare(value.int16(row), Int32(value.width), Int32(value.planeBytes / 2), value.planes(row))
  }

  private func copy(_ from: ValueBuffer, to out: ValueBuffer, _ row: Int) {
    (out.rows + row * out.rowBytes).copyMemory(from: from.rows + row * from.rowBytes, byteCount: out.rowBytes)
    out.exponents(row)[0] = from.exponents(row)[0]
  }

  private func store(_ keys: ValueBuffer, _ values: ValueBuffer, _ cache: Int, _ row: Int) {
    let run = chunk.runs[chunk.runOfRow[row]]
    let position = run.firstPosition + row - run.firstRow
    let (page, slot) = position.quotientAndRemainder(dividingBy: PageLayout.positions)
    guard let base = run.pages[page] else { preconditionFailure("a position without a page") }
    for head in 0..<keys.heads {
      // The table is read-only for attention; the page under its position is this row's to write.
      ev_page_store(
        UnsafeMutableRawPointer(mutating: base) + pageLayout.offset(cache: cache, head: head), Int32(slot),
        Int32(headDimension), keys.int16(row) + head * headDimension, keys.exponents(row)[head],
        values.int16(row) + head * headDimension, values.exponents(row)[head])
    }
  }
}
