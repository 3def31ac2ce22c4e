import CKernels
import ModelGraph

/// Every linear weight of a model, packed once; threads share the work.
///
/// What has been packed is not read in the model's own memory again, which may leave it.
final class PackedWeights: Sendable {
  let linears: [String: PackedLinear]
  /// One per expert.
  let experts: [String: [PackedLinear]]
  private let arena: Arena
  /// What packing took.
  var byteCount: Int { arena.byteCount }

  init(image: ModelImage, crew: Crew) throws(EngineFailure) {
    var layout = ArenaLayout()
    let parts = PackedWeights.parts(of: image.graph)
    let jobs = parts.map { part in
      let weight = image.linear(part.name)
      return (0..<(part.experts ?? 1)).map { PackingJob(weight, expert: $0, of: part.experts ?? 1, &layout) }
    }
    let arena = try Arena(byteCount: layout.byteCount)
    self.arena = arena
    crew.run(PackingProgram(jobs: jobs.flatMap { $0 }, arena: arena, source: image.weights))
    var linears: [String: PackedLinear] = [:]
    var experts: [String: [PackedLinear]] = [:]
    for (part, jobs) in zip(parts, jobs) {
      let packed = jobs.map { $0.packed(in: arena) }
      if part.experts == nil { linears[part.name] = packed[0] } else { experts[part.name] = packed }
    }
    self.linears = linears
    self.experts = experts
  }

  /// The weights that the graph reads, each once, and of how many experts.
  private static func parts(of graph: Graph) -> [(name: String, experts: Int?)] {
    var parts: [(name: String, experts: Int?)] = []
    var seen: Set<String> = []
    func add(_ name: String, _ experts: Int?) {
      if seen.insert(name).inserted { parts.append((name, experts)) }
    }
    for node in graph.nodes {
      switch node.op {
      case .linear(let name), .embed(let name, tied: true, scale: _): add(name, nil)
      case .expertLinear(let name, let experts), .expertSum(let name, let experts): add(name, experts)
      default: break
      }
    }
    return parts
  }
}

private final class PackingProgram: CrewProgram {
  private let jobs: [PackingJob]
  private let arena: Arena
  private let source: ModelBytes
  /// Blocks that one member packs at a time.
  private static let grain = 32

  init(jobs: [PackingJob], arena: Arena, source: ModelBytes) {
    self.jobs = jobs
    self.arena = arena
    self.source = source
  }

  func run(_ member: Crew.Member) {
    for job in jobs {
      let units = (job.blocks + PackingProgram.grain - 1) / PackingProgram.grain
      member.forEach(units) { unit in
        let first = unit * PackingProgram.grain
        job.pack(blocks: first..<min(first + PackingProgram.grain, job.blocks), in: arena)
      }
      member.alone { source.release(job.sourceBytes) }
    }
  }
}
