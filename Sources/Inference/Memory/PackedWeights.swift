import CKernels
import ModelGraph

/// Every linear weight of a model, packed once; threads share the work.
final class PackedWeights: Sendable {
  /// One for a weight, or one for each expert of a stacked weight.
  private let linears: [String: [PackedLinear]]
  /// Whether some weight has 4 bits: activations then carry the sums of their groups.
  let needsGroupSums: Bool
  private let arena: Arena
  /// What packing took.
  var byteCount: Int { arena.byteCount }

  init(image: ModelImage, crew: Crew) throws(EngineFailure) {
    var layout = ArenaLayout()
    var needsGroupSums = false
    var jobs: [String: [PackingJob]] = [:]
    for (name, experts) in PackedWeights.names(in: image.graph) {
      let weight = image.linear(name)
      if case .four = weight { needsGroupSums = true }
      let rows = weight.rows / experts
      jobs[name] = (0..<experts).map { expert in
        PackingJob(weight, rows: (expert * rows)..<((expert + 1) * rows), &layout)
      }
    }
    let arena = try Arena(byteCount: layout.byteCount)
    self.arena = arena
    self.needsGroupSums = needsGroupSums
    crew.run(PackingProgram(jobs: jobs.values.flatMap { $0 }, arena: arena))
    linears = jobs.mapValues { $0.map { $0.linear(in: arena) } }
  }

  func linear(_ name: String) -> PackedLinear { experts(name)[0] }

  func experts(_ name: String) -> [PackedLinear] {
    guard let list = linears[name] else { preconditionFailure("a weight of the graph was not packed") }
    return list
  }

  /// The weights that the graph multiplies with, each once, and how many experts each has.
  private static func names(in graph: Graph) -> [(name: String, experts: Int)] {
    var names: [(name: String, experts: Int)] = []
    var seen: Set<String> = []
    for node in graph.nodes {
      switch node.op {
      case .linear(let name), .embed(let name, tied: true, scale: _):
        if seen.insert(name).inserted { names.append((name, 1)) }
      case .expertLinear(let name, let experts), .expertSum(let name, let experts):
        if seen.insert(name).inserted { names.append((name, experts)) }
      default: break
      }
    }
    return names
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
