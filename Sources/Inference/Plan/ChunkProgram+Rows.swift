import CKernels

extension ChunkProgram {
  /// One operator on one row.
  @inline(__always)
  func apply(_ operation: RowOperation, _ row: Int, _ scratch: UnsafeMutableRawPointer) {
    let set = kernels
    let out = operation.out
    switch operation.body {
    case .angles(let rotation): rotation.set(row, position: chunk.position(row), cosine: tables.cosine)
    case .embedTable(let table): embed(table, Int(chunk.tokens[row]), out, row)
    case .embedPosition(let table): embed(table, chunk.position(row), out, row)
    case .embedLinear(let head, let scale, let exponent):
      head.embed(chunk.tokens[row], scale: scale, exponent: exponent, into: out.residual(row))
    case .rmsNorm(let x, let gain):
      set.pointee.rms_norm(
        x.residual(row), Int32(x.width), gain.values, gain.exponent, epsilon, out.int16(row), out.exponents(row),
        scratch)
      prepare(out, row)
    case .layerNorm(let x, let gain, let bias):
      set.pointee.layer_norm(
        x.residual(row), Int32(x.width), gain.values, gain.exponent, epsilon, bias.values, bias.exponent,
        fractionBits, out.residual(row), scratch)
    case .quantise(let x):
      set.pointee.quantise(x.residual(row), Int32(x.width), fractionBits, out.int16(row), out.exponents(row))
      prepare(out, row)
    case .addBias(let t, let bias):
      copy(t, to: out, row)
      out.exponents(row)[0] = set.pointee.add_bias(
        out.int32(row), Int32(out.width), out.exponents(row)[0], bias.values, bias.exponent)
    case .normHeads(let t, let heads, let gain, let epsilon):
      copy(t, to: out, row)
      set.pointee.norm_heads(
        out.int32(row), heads, Int32(out.width) / heads, out.exponents(row)[0], gain.values, epsilon, fractionBits)
      out.exponents(row)[0] = -7 - gain.exponent
    case .rope(let t, let heads, let rotation):
      copy(t, to: out, row)
      set.pointee.rope(
        out.int32(row), heads, Int32(headDimension), Int32(rotation.pairs), rotation.cosines(row), rotation.sines(row))
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
    case .gated(let gate, let up, let table):
      set.pointee.gated(
        gate.int32(row), gate.exponents(row)[0], up.int32(row), up.exponents(row)[0], Int32(out.width), table,
        out.int16(row), out.exponents(row), scratch)
      prepare(out, row)
    case .activate(let t, let table):
      set.pointee.activate(
        t.int32(row), t.exponents(row)[0], Int32(out.width), table, out.int16(row), out.exponents(row), scratch)
      prepare(out, row)
    case .add(let x, let t):
      copy(x, to: out, row)
      set.pointee.residual_add(
        out.residual(row), t.int32(row), Int32(out.width), t.exponents(row)[0] + fractionBits)
    case .addResiduals(let x, let z):
      copy(x, to: out, row)
      set.pointee.add_residuals(out.residual(row), z.residual(row), Int32(out.width))
    case .route(let t, let sharesOfAll):
      ev_route(
        t.int32(row), Int32(t.width), t.exponents(row)[0], Int32(out.width), sharesOfAll, out.experts(row),
        out.shares(row))
    case .softcap(let t, let cap):
      copy(t, to: out, row)
      set.pointee.softcap(out.int32(row), Int32(out.width), out.exponents(row)[0], cap, tables.tanh)
      out.exponents(row)[0] = -16
    }
  }

  private func embed(_ table: RowOperation.Table, _ index: Int, _ out: ValueBuffer, _ row: Int) {
    ev_embed_table16(
      table.values + index * out.width, Int32(out.width), UInt64(table.multipliers[index]) * table.scale,
      table.exponent, out.residual(row))
  }

  /// Brings an activation into the form that products read.
  private func prepare(_ value: ValueBuffer, _ row: Int) {
    let width = value.width / value.parts
    let padded = ev_padded_in(Int32(width))
    for part in 0..<value.parts {
      kernels.pointee.prepare(
        value.int16(row) + part * width, Int32(width), padded, value.groupSums, value.planes(row, part: part))
    }
  }

  /// Nothing to do where an operator overwrites its input.
  private func copy(_ from: ValueBuffer, to out: ValueBuffer, _ row: Int) {
    if from.rows == out.rows { return }
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
