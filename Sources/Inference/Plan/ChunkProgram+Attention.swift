import CKernels

extension ChunkProgram {
  /// How members share attention. A unit is a tile of rows and a key-value head.
  private enum Share {
    /// Whole units, or each in as many parts as it has query heads, which read keys and values again.
    case units(parts: Int)
    /// Every unit's pages in that many parts.
    case pages(parts: Int)
  }

  /// A part of so few pages is not worth the two more meetings of all members.
  private static let pagesPerPart = 2

  private func share(_ a: AttentionOperation, members: Int) -> Share {
    let group = a.heads / a.keyValueHeads
    let units = chunk.tiles.count * a.keyValueHeads
    if units >= 4 * members || units.isMultiple(of: members) { return .units(parts: 1) }
    let sharesPages =
      kernels.pointee.score_part != nil && group <= Int(EV_ATTENTION_QUERIES)
      && chunk.positionsEnd >= ChunkProgram.pagesPerPart * members * PageLayout.positions
      && chunk.tiles.allSatisfy { $0.rows == 1 }
    return sharesPages ? .pages(parts: members) : .units(parts: group)
  }

  /// Makes room for attention; the only memory that grows with the context.
  func prepareScratch() throws(EngineFailure) {
    let rows = chunk.tiles.reduce(0) { max($0, $1.rows) }
    var (own, shared) = (0, 0)
    for step in plan.steps {
      guard case .attention(let a) = step else { continue }
      let group = Int32(a.heads / a.keyValueHeads)
      own = max(
        own, ev_attention_scratch_bytes(Int32(rows), group, Int32(headDimension), Int32(chunk.positionsEnd)))
      if case .pages(let parts) = share(a, members: scratch.members) {
        shared = max(shared, chunk.tiles.count * a.keyValueHeads * parts * partBytes(group, parts))
      }
    }
    try scratch.reserveAttention(bytes: own, shared: shared)
  }

  private func partBytes(_ group: Int32, _ parts: Int) -> Int {
    ev_attention_part_bytes(group, Int32(headDimension), Int32(chunk.positionsEnd), Int32(parts))
  }

  func runAttention(_ a: AttentionOperation, _ member: Crew.Member) {
    let units = chunk.tiles.count * a.keyValueHeads
    switch share(a, members: member.count) {
    case .units(let parts):
      let memory = scratch.attention(member.index)
      let kernel = kernels.pointee.attention!
      member.forEach(units * parts) { index in
        var call = call(a, unit: index / parts, part: index % parts, of: parts)
        kernel(&call, memory)
      }
    case .pages(let parts): runParts(a, units, parts, member)
    }
    if trace != nil { member.alone { emit(a.node, a.out) } }
  }

  /// Each member begins with one part of every unit.
  private func runParts(_ a: AttentionOperation, _ units: Int, _ parts: Int, _ member: Crew.Member) {
    let set = kernels.pointee
    guard let score = set.score_part, let weigh = set.weigh_part, let join = set.join_parts else {
      preconditionFailure("pages are shared where the set can")
    }
    let stride = parts * partBytes(Int32(a.heads / a.keyValueHeads), parts)
    let shared = scratch.sharedAttention
    member.forEach(units * parts) { index in
      var call = call(a, unit: index % units)
      score(&call, Int32(index / units), Int32(parts), shared + index % units * stride)
    }
    member.forEach(units * parts) { index in
      var call = call(a, unit: index % units)
      weigh(&call, Int32(index / units), Int32(parts), shared + index % units * stride)
    }
    member.forEach(units) { unit in
      var call = call(a, unit: unit)
      join(&call, Int32(parts), shared + unit * stride)
    }
  }

  /// A unit, or that part of its query heads.
  private func call(_ a: AttentionOperation, unit: Int, part: Int = 0, of parts: Int = 1) -> ev_attention {
    let whole = a.heads / a.keyValueHeads
    let group = whole / parts
    let (tile, keyValueHead) = (chunk.tiles[unit / a.keyValueHeads], unit % a.keyValueHeads)
    let firstHead = keyValueHead * whole + part * group
    let run = chunk.runs[tile.run]
    let (queries, out) = (a.queries, a.out)
    return ev_attention(
      q: queries.int16(tile.firstRow) + firstHead * headDimension,
      q_exponent: queries.exponents(tile.firstRow) + firstHead,
      pages: run.pages, page_offset: pageLayout.offset(cache: a.cache, head: keyValueHead),
      out: out.int32(tile.firstRow) + firstHead * headDimension,
      out_exponent: out.exponents(tile.firstRow) + firstHead,
      q_stride: queries.rowBytes / 2, q_exponent_stride: queries.heads, out_stride: out.rowBytes / 4,
      out_exponent_stride: out.heads,
      first_position: Int32(run.firstPosition + tile.firstRow - run.firstRow), rows: Int32(tile.rows),
      group: Int32(group), hd: Int32(headDimension), window: Int32(a.window),
      visible_end: a.causal ? 0 : Int32(run.firstPosition + run.rows), softcap: Int32(a.softcap),
      tanh_table: tables.tanh)
  }
}
