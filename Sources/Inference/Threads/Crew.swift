import CKernels
import Synchronization

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

  /// Runs `program` and returns when it is finished. One caller at a time.
  ///
  /// - Parameter alone: whether the caller does everything, because there is too little to share.
  func run(_ program: any CrewProgram, alone: Bool = false) {
    if alone || count == 1 {
      program.run(Member(index: 0, count: 1, shared: shared))
      return
    }
    shared.start(program)
    program.run(Member(index: 0, count: count, shared: shared))
    shared.barrier()
  }

  /// One thread's view of the crew.
  struct Member {
    let index: Int
    /// Members that run the program.
    let count: Int
    fileprivate let shared: Shared

    /// Calls `body` once for every unit in 0..<units, then waits for all members.
    ///
    /// Each member begins with a share of its own, the same whenever `units` is the same, so that what one
    /// step leaves in a core's cache is there for the next. Who is done early helps the others.
    @inline(__always)
    func forEach(_ units: Int, _ body: (Int) -> Void) {
      guard count > 1 else {
        for unit in 0..<units { body(unit) }
        return
      }
      var owner = index
      for _ in 0..<count {
        let first = units * owner / count
        let end = units * (owner + 1) / count
        while true {
          let unit = first + shared.taken[owner].value.wrappingAdd(1, ordering: .relaxed).oldValue
          if unit >= end { break }
          body(unit)
        }
        owner = owner + 1 == count ? 0 : owner + 1
      }
      shared.barrier()
    }

    /// Calls `body` on one member while the others wait.
    func alone(_ body: () -> Void) {
      if index == 0 { body() }
      if count > 1 { shared.barrier() }
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
  // Sendable because `program` and `stopping` are written before `round` is released and read after it is
  // acquired.
  let count: Int
  /// For each member, how many units of its share have been taken.
  let taken: UnsafeMutablePointer<Spaced>
  let workers = Mutex<[EngineThread]>([])
  private let arrived = Spaced()
  private let phase = Spaced()
  private let round = Spaced()
  private let sleepers = Spaced()
  private let parking = Parking()
  private var program: (any CrewProgram)?
  private var stopping = false
  /// Looks before a waiting thread sleeps: more while looking pays, fewer while it does not, as when the
  /// awaited thread has lost its processor to somebody else.
  private let spins: Atomic<Int>

  /// Longer than a step takes, so that threads do not sleep within an evaluation, nor between two tokens.
  private static let spinsMax = 8_000
  private static let spinsMin = 100

  init(count: Int) {
    self.count = count
    taken = .allocate(capacity: count)
    for index in 0..<count { (taken + index).initialize(to: Spaced()) }
    spins = Atomic(count > EngineThread.processorCount ? Shared.spinsMin : Shared.spinsMax)
  }

  deinit {
    taken.deinitialize(count: count)
    taken.deallocate()
  }

  func start(_ program: any CrewProgram) {
    self.program = program
    change(round)
  }

  func stop() {
    stopping = true
    if count > 1 { change(round) }
    let list = workers.withLock { list in
      defer { list = [] }
      return list
    }
    for worker in list { worker.join() }
  }

  func work(_ index: Int) {
    var seen = 0
    while true {
      seen = wait(round, toDifferFrom: seen)
      if stopping { return }
      program?.run(Crew.Member(index: index, count: count, shared: self))
      barrier()
    }
  }

  /// Waits until every member is here. The last one resets the counters for the next step.
  func barrier() {
    let current = phase.value.load(ordering: .relaxed)
    if arrived.value.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == count {
      arrived.value.store(0, ordering: .relaxed)
      for index in 0..<count { taken[index].value.store(0, ordering: .relaxed) }
      change(phase)
    } else {
      _ = wait(phase, toDifferFrom: current)
    }
  }

  /// Adds 1 to a counter that others may be waiting for.
  private func change(_ counter: borrowing Spaced) {
    // Sequentially consistent with a sleeper's own count: one of the two sees the other.
    counter.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if sleepers.value.load(ordering: .sequentiallyConsistent) > 0 {
      parking.locked { parking.wakeAll() }
    }
  }

  private func wait(_ counter: borrowing Spaced, toDifferFrom old: Int) -> Int {
    let limit = spins.load(ordering: .relaxed)
    for spin in 0..<limit {
      let now = counter.value.load(ordering: .acquiring)
      if now != old {
        // Near the limit only: others read this number, too.
        if spin > limit / 2 { spins.store(min(Shared.spinsMax, 2 * limit), ordering: .relaxed) }
        return now
      }
      ev_spin_hint()
    }
    spins.store(max(Shared.spinsMin, limit / 2), ordering: .relaxed)
    parking.lock()
    defer { parking.unlock() }
    sleepers.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { sleepers.value.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    while true {
      let now = counter.value.load(ordering: .sequentiallyConsistent)
      if now != old { return now }
      parking.sleep()
    }
  }
}
