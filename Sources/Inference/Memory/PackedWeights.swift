import CKernels
import ModelGraph

/// A linear8 weight in the order in which the kernels read it.
struct PackedLinear: @unchecked Sendable {
  // Sendable because what it points to is not written after packing.
  let c: ev_linear8
  /// f of the weight; a product's exponent is e + shift - exponent.
  let exponent: Int32

  var blocks: Int { Int(c.out_padded) / Int(EV_BLOCK_OUTPUTS) }
}

/// Every linear8 weight of a model, packed once; threads share the work.
final class PackedWeights: Sendable {
  let linears: [String: PackedLinear]
  private let arena: Arena
  /// What packing took.
  var byteCount: Int { arena.byteCount }

  init(image: ModelImage, crew: Crew) throws(EngineFailure) {
    var layout = ArenaLayout()
    var jobs: [PackingJob] = []
    let names = PackedWeights.names(in: image.graph)
    for name in names {
      guard case .eight(let weight) = image.linear(name) else {
        preconditionFailure("the kernels do not have 4-bit weights yet")
      }
      let (out, input) = (Int(ev_padded_out(Int32(weight.rows))), Int(ev_padded_in(Int32(weight.columns))))
      jobs.append(
        PackingJob(
          weight: weight, packed: layout.reserve(out * input, of: Int8.self),
          rowSum: layout.reserve(out, of: Int32.self), multiplier: layout.reserve(out, of: UInt32.self)))
    }
    let arena = try Arena(byteCount: layout.byteCount)
    self.arena = arena
    crew.run(PackingProgram(jobs: jobs, arena: arena))
    var linears: [String: PackedLinear] = [:]
    for (name, job) in zip(names, jobs) { linears[name] = job.linear(in: arena) }
    self.linears = linears
  }

  private static func names(in graph: Graph) -> [String] {
    var names: [String] = []
    var seen: Set<String> = []
    for node in graph.nodes {
      switch node.op {
      case .linear(let name), .embed(let name, tied: true, scale: _):
        if seen.insert(name).inserted { names.append(name) }
      default: break
      }
    }
    return names
  }
}

/// One weight's source and where its parts go in the arena.
private struct PackingJob {
  let weight: Linear8
  let packed: Int
  let rowSum: Int
  let multiplier: Int

  var blocks: Int { Int(ev_padded_out(Int32(weight.rows))) / Int(EV_BLOCK_OUTPUTS) }

  func pack(blocks range: Range<Int>, in arena: Arena) {
    ev_pack_linear8(
      weight.values.baseAddress, Int32(weight.rows), Int32(weight.columns), Int32(range.lowerBound),
      Int32(range.upperBound), arena.pointer(at: packed, to: Int8.self), arena.pointer(at: rowSum, to: Int32.self))
    let outputs = Int(EV_BLOCK_OUTPUTS)
    let target = arena.pointer(at: multiplier, to: UInt32.self)
    for j in (range.lowerBound * outputs)..<min(range.upperBound * outputs, weight.rows) {
      target[j] = weight.multipliers[j]
    }
  }

  func linear(in arena: Arena) -> PackedLinear {
    let largest = weight.multipliers.max() ?? 0
    let c = ev_linear8(
      packed: arena.pointer(at: packed, to: Int8.self), row_sum: arena.pointer(at: rowSum, to: Int32.self),
      multiplier: arena.pointer(at: multiplier, to: UInt32.self), in: Int32(weight.columns),
      in_padded: ev_padded_in(Int32(weight.columns)), out: Int32(weight.rows),
      out_padded: ev_padded_out(Int32(weight.rows)), shift: ev_linear8_shift(Int32(weight.columns), largest))
    return PackedLinear(c: c, exponent: Int32(weight.exponent))
  }
}

private final class PackingProgram: CrewProgram {
  private let jobs: [PackingJob]
  private let arena: Arena
  /// Blocks that one member packs at a time.
  private static let grain = 32

  init(jobs: [PackingJob], arena: Arena) {
    self.jobs = jobs
    self.arena = arena
  }

  func run(_ member: Crew.Member) {
    for job in jobs {
      let units = (job.blocks + PackingProgram.grain - 1) / PackingProgram.grain
      member.forEach(units) { unit in
        let first = unit * PackingProgram.grain
        job.pack(blocks: first..<min(first + PackingProgram.grain, job.blocks), in: arena)
      }
    }
  }
}
