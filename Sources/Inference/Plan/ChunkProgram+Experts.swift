import CKernels

extension ChunkProgram {
  func runExperts(_ step: ExpertStep, _ member: Crew.Member) {
    member.alone {
      routing.route(step, rows: chunk.rows, members: member.count, scratch: plan.expertScratch)
      for product in step.products {
        for row in 0..<chunk.rows {
          product.out.exponents(row)[0] = step.input.exponents(row)[0] + product.weights[0].exponent
        }
      }
    }
    let memory = scratch.expert(member.index)
    routing.units.withUnsafeBufferPointer { units in
      routing.pairs.withUnsafeBufferPointer { pairs in
        member.forEach(units.count) { unit in
          multiply(step, units[unit], UnsafeBufferPointer(rebasing: pairs[units[unit].pairs]), memory)
        }
      }
    }
    if let partial = step.partial {
      let out = step.products[0].out
      member.forEach(chunk.rows) { row in
        kernels.pointee.combine_experts(
          partial + row * step.slots * step.outputs, step.outputs, Int32(step.slots), Int32(step.outputs),
          step.routes.shares(row), out.int32(row))
      }
    }
    if trace != nil {
      member.alone { for product in step.products { emit(product.node, product.out) } }
    }
  }

  /// Some outputs of one expert for rows that use it. A single row needs no copies.
  private func multiply(
    _ step: ExpertStep, _ unit: ExpertRouting.Unit, _ pairs: UnsafeBufferPointer<ExpertRouting.Pair>,
    _ memory: UnsafeMutableRawPointer
  ) {
    let product = step.products[unit.product]
    let weight = product.weights[unit.expert]
    let bytes = step.input.planeBytes
    if pairs.count == 1 {
      weight.multiply(
        kernels, input(step, pairs[0]), planeBytes: bytes, rows: 1, blocks: unit.blocks,
        into: result(step, product, pairs[0]), stride: 0)
      return
    }
    for (i, pair) in pairs.enumerated() {
      (memory + i * bytes).copyMemory(from: input(step, pair), byteCount: bytes)
    }
    let first = unit.blocks.lowerBound * Int(EV_BLOCK_OUTPUTS)
    let count = min(unit.blocks.upperBound * Int(EV_BLOCK_OUTPUTS), weight.rows) - first
    let stride = plan.expertScratch.outputsMax
    let results = (memory + plan.expertScratch.resultsOffset).assumingMemoryBound(to: Int32.self)
    weight.multiply(
      kernels, memory, planeBytes: bytes, rows: pairs.count, blocks: unit.blocks, into: results - first,
      stride: stride)
    for (i, pair) in pairs.enumerated() {
      (result(step, product, pair) + first).update(from: results + i * stride, count: count)
    }
  }

  private func input(_ step: ExpertStep, _ pair: ExpertRouting.Pair) -> UnsafeMutableRawPointer {
    step.input.planes(pair.row, part: step.partial == nil ? 0 : pair.slot)
  }

  private func result(
    _ step: ExpertStep, _ product: ExpertStep.Product, _ pair: ExpertRouting.Pair
  ) -> UnsafeMutablePointer<Int32> {
    if let partial = step.partial { return partial + (pair.row * step.slots + pair.slot) * step.outputs }
    return product.out.int32(pair.row) + pair.slot * step.outputs
  }
}
