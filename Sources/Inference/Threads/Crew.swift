import CKernels
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What every member of a crew runs, from beginning to end, at the same time.
protocol CrewProgram: AnyObject {
  func run(_ member: Crew.Member)
}

/// Threads that run one program together, one evaluation at a time.
///
/// All members walk through the same steps and meet at a barrier after each, so a step costs no wake-up.
/// Which member does which unit of a step is decided by an atomic counter; no result depends on it.
/// Between runs the workers watch for the next one for a moment, then sleep.
final class Crew: Sendable {
  let count: Int
  private let shared: Shared

  /// - Parameter threads: the members; the caller of ``run(_:)`` is one of them.
  init(threads: Int) throws(EngineFailure) {
    precondition(threads >= 1, "a crew has at least the caller")
    count = threads
    let shared = Shared(count: threads)
    self.shared = shared
    do {
      for index in 1..<threads {
        let thread = try EngineThread { shared.work(index) }
        shared.workers.withLock { $0.append(thread) }
      }
    } catch {
      shared.stop()
      throw error
    }
  }

  deinit { shared.stop() }

  /// Runs `program` on every member and returns when all have finished it. One caller at a time.
  func run(_ program: any CrewProgram) {
    shared.start(program)
    program.run(Member(index: 0, shared: shared))
    shared.barrier()
  }

  /// One thread's view of the crew.
  struct Member {
    let index: Int
    fileprivate let shared: Shared

    /// Calls `body` once for every unit in 0..<count, on whichever members are free, then waits for all.
    @inline(__always)
    func forEach(_ count: Int, _ body: (Int) -> Void) {
      guard shared.count > 1 else {
        for unit in 0..<count { body(unit) }
        return
      }
      while true {
        let unit = shared.next.value.wrappingAdd(1, ordering: .relaxed).oldValue
        if unit >= count { break }
        body(unit)
      }
      shared.barrier()
    }

    /// Calls `body` on one member while the others wait.
    func alone(_ body: () -> Void) {
      if index == 0 { body() }
      shared.barrier()
    }
  }
}

/// On its own cache lines, so that waiting on one counter does not slow another.
private struct Spaced: ~Copyable {
  private let before: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
  let value = Atomic<Int>(0)
  private let after: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
}

private final class Shared: @unchecked Sendable {
  // Sendable because `program` is written before `round` is released and read after it is acquired.
  let count: Int
  let next = Spaced()
  let workers = Mutex<[EngineThread]>([])
  private let arrived = Spaced()
  private let phase = Spaced()
  private let round = Spaced()
  private let sleepers = Spaced()
  private let parking = Parking()
  private var program: (any CrewProgram)?
  private var stopping = false

  /// Looks before a waiting thread lets others run, and before an idle worker sleeps.
  private static let spinsBeforeYield = 2_000
  private static let spinsBeforeSleep = 10_000

  init(count: Int) { self.count = count }

  func start(_ program: any CrewProgram) {
    self.program = program
    announce()
  }

  func stop() {
    stopping = true
    announce()
    let list = workers.withLock { list in
      defer { list = [] }
      return list
    }
    for worker in list { worker.join() }
  }

  private func announce() {
    guard count > 1 else { return }
    // Sequentially consistent with the sleeper's own count: one of the two sees the other.
    round.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if sleepers.value.load(ordering: .sequentiallyConsistent) > 0 {
      parking.locked { parking.wakeAll() }
    }
  }

  func work(_ index: Int) {
    var seen = 0
    while true {
      seen = waitForRound(after: seen)
      if stopping { return }
      program?.run(Crew.Member(index: index, shared: self))
      barrier()
    }
  }

  private func waitForRound(after seen: Int) -> Int {
    for _ in 0..<Shared.spinsBeforeSleep {
      let now = round.value.load(ordering: .acquiring)
      if now != seen { return now }
      ev_spin_hint()
    }
    return parking.locked {
      sleepers.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
      defer { sleepers.value.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
      while true {
        let now = round.value.load(ordering: .sequentiallyConsistent)
        if now != seen { return now }
        parking.sleep()
      }
    }
  }

  /// Waits until every member is here. The last one resets the unit counter for the next step.
  func barrier() {
    guard count > 1 else { return }
    let current = phase.value.load(ordering: .relaxed)
    if arrived.value.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == count {
      arrived.value.store(0, ordering: .relaxed)
      next.value.store(0, ordering: .relaxed)
      phase.value.store(current &+ 1, ordering: .releasing)
      return
    }
    var spins = 0
    while phase.value.load(ordering: .acquiring) == current {
      ev_spin_hint()
      spins &+= 1
      if spins > Shared.spinsBeforeYield { sched_yield() }
    }
  }
}
