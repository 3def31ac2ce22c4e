import Digests
import Receipts
import Testing
import Transparency
import Verification

/// What the log's proof shows, under which policy, and what no policy makes of it.
@Suite struct LogTests {
  let node = TinyNode()
  let pending: EvidenceFile
  let honest: EvidenceFile

  init() throws {
    pending = try node.file(try node.answer(.busy))
    honest = try pending.logged()
  }

  func verify(_ file: EvidenceFile, _ change: (inout VerifierOptions) -> Void = { _ in }) throws -> Verdict {
    var options = node.options(replay: false)
    options.requiredLevels = [.logged]
    change(&options)
    return Verifier(options).verify(try file.bytes())
  }

  @Test func loggedEvidencePassesEveryCheck() throws {
    let observation = try honest.observation()
    let verdict = try verify(honest) {
      $0.observation = observation
      $0.replay = true
    }
    #expect(verdict.checks.allSatisfy { $0.outcome.word == "PASS" })
    #expect(verdict.receipt?.levels == [.signed, .logged, .replayed] && verdict.exitStatus == 0)
    #expect(verdict.headline == "VERIFIED: signed, logged, replayed")
    #expect(verdict.stillTrusted.contains { $0.contains("that fewer than 2 of your witnesses lie") })
  }

  @Test func pendingIsNotLoggedAndSaysUntilWhen() throws {
    let verdict = try verify(pending)
    let reason = SkipReason.pending(log: "log.example.org/tiny", until: "2026-02-01T23:59:59Z")
    for check in [CheckName.inclusion, .logSignature, .witnessQuorum, .logTime] {
      #expect(verdict.outcome(of: check) == .skip(reason))
    }
    #expect(verdict.outcome == .unchecked && verdict.exitStatus == 2)
    #expect(verdict.text(color: false).contains("logged    pending        promised in the log log.example.org/tiny"))
    #expect(verdict.text(color: false).contains("by 2026-02-01T23:59:59Z"))
    #expect(try verify(pending) { $0.requiredLevels = [] }.exitStatus == 0)
    // A bare receipt is pending, too.
    let receipt = Verifier(node.options(replay: false)).verify(pending.receipt.bytes)
    #expect(receipt.outcome(of: .inclusion) == .skip(reason))
  }

  @Test func nothingPromisedIsSkipped() throws {
    var record = try node.answer(.busy)
    record.promise = nil
    let file = try node.file(record)
    #expect(try verify(file).outcome(of: .inclusion) == .skip(.nothingPromised))
    // Logged all the same: only a policy can say of which log.
    #expect(try verify(file.logged()).exitStatus == 0)
    // A policy that leaves logs open is none that does.
    for policy in [nil, TinyLog.policy("quorum w1\n", log: "")] {
      let verdict = try verify(file.logged()) { $0.policy = policy }
      for check in [CheckName.inclusion, .logSignature, .witnessQuorum, .logTime, .keyHistory] {
        #expect(verdict.outcome(of: check) == .skip(.noPolicy))
      }
      #expect(verdict.failures.isEmpty && verdict.exitStatus == 2)
    }
  }

  @Test func withoutAPolicyNobodyWasChosen() throws {
    let verdict = try verify(honest) { $0.policy = nil }
    #expect(verdict.failures.isEmpty && verdict.exitStatus == 2)
    #expect(verdict.outcome(of: .inclusion).word == "PASS" && verdict.outcome(of: .logSignature).word == "PASS")
    #expect(verdict.outcome(of: .witnessQuorum) == .skip(.noWitnessesChosen(log: "log.example.org/tiny")))
    #expect(verdict.outcome(of: .witnessQuorum).reason.contains("worth nothing against its operator"))
    #expect(verdict.levels.first { $0.level == .logged }?.state.word == "incomplete")
    #expect(verdict.text(color: false).contains("hint: name logs and witnesses that you believe"))
  }

  @Test func aPolicyWithoutWitnessesSaysWhatItIsWorth() throws {
    let verdict = try verify(honest) { $0.policy = TinyLog.withoutWitnesses }
    #expect(verdict.exitStatus == 0 && verdict.receipt?.levels == [.signed, .logged])
    #expect(verdict.headline == "VERIFIED: signed, logged (without witnesses)")
    #expect(verdict.outcome(of: .witnessQuorum).reason.contains("worth nothing against its operator"))
    #expect(verdict.outcome(of: .logTime) == .skip(.noWitnessTime))
    #expect(verdict.stillTrusted.contains("the operator of log.example.org/tiny, for showing everyone the same record"))
    let row = try #require(verdict.json["levels"]?.array?.first { $0["level"]?.string == "logged" })
    #expect(row["reason"]?.string?.contains("worth nothing against its operator") == true)
  }

  @Test func aPolicyMayLeaveTheLogOpen() throws {
    #expect(try verify(honest) { $0.policy = TinyLog.policy("quorum w1\n", log: "") }.exitStatus == 0)
  }

  @Test func theLogMustBeThePromisedOneAndOfThePolicy() throws {
    let other = "log \(TinyLog.otherLog.verifierKey)\n"
    let refused = try verify(honest) { $0.policy = TinyLog.policy("quorum w1\n", log: other) }
    #expect(refused.failures == ["logSignature.checkpointRefused", "keyHistory.keyHistoryRefused"])
    var moved = pending
    moved.log = try TinyLog.proof(of: 4, in: TinyLog.tree([4: pending.receipt]), log: TinyLog.otherLog)
    let both = "log \(TinyLog.log.verifierKey)\n" + other
    #expect(
      try verify(moved) { $0.policy = TinyLog.policy("quorum w1\n", log: both) }.failures == [
        "logSignature.logNotPromised"
      ])
  }

  /// A log that changes its key signs with both for a while.
  @Test func aLogMayHaveSeveralKeys() throws {
    let name = TinyLog.log.verifierKey.name
    let newer = try NoteSigner(name: name, seed: Array(repeating: 23, count: 32))
    let keys = "log \(newer.verifierKey)\nlog \(TinyLog.log.verifierKey)\n"
    let policy = TinyLog.policy("quorum w1\n", log: keys)
    let tree = TinyLog.tree([4: pending.receipt])
    let checkpoint = try Checkpoint(origin: name, size: tree.size, root: tree.root)
    func verdict(_ logs: [NoteSigner], _ policy: TrustPolicy = policy) throws -> Verdict {
      let signatures =
        logs.map { $0.sign(checkpoint) } + [TinyLog.witnesses[1].cosign(checkpoint, timestamp: TinyLog.seen)]
      var file = pending
      file.log = try InclusionEvidence(
        index: 4, hashes: tree.inclusionProof(of: 4, in: tree.size).hashes,
        signed: try SignedCheckpoint(checkpoint, signatures: signatures))
      return try verify(file) { $0.policy = policy }
    }
    #expect(try verdict([newer, TinyLog.log]).exitStatus == 0)
    #expect(try verdict([TinyLog.log, newer]).exitStatus == 0)
    #expect(try verdict([newer]).failures == ["logSignature.logNotPromised"])
    let onlyNewer = TinyLog.policy("quorum w1\n", log: "log \(newer.verifierKey)\n")
    #expect(try verdict([newer, TinyLog.log], onlyNewer).failures == [])
    #expect(try verdict([TinyLog.log], onlyNewer).failures == ["logSignature.checkpointRefused"])
  }

  @Test func oneWitnessOfTwoIsEnoughOnlyWherePolicySaysSo() throws {
    var file = pending
    file.log = try TinyLog.proof(
      of: 4, in: TinyLog.tree([4: pending.receipt]), witnesses: [TinyLog.witnesses[1]])
    #expect(try verify(file).failures == ["witnessQuorum.quorumNotReached"])
    let any = TinyLog.policy("group any any w0 w1\nquorum any\n")
    let verdict = try verify(file) { $0.policy = any }
    #expect(verdict.exitStatus == 0 && verdict.outcome(of: .witnessQuorum).reason.contains("1 of the 2"))
  }

  @Test func timesMustFit() throws {
    let made = UInt64(UTCTime.seconds(TinyNode.time)!)
    let loggedBy = UInt64(UTCTime.seconds(TinyLog.promise.loggedBy)!)
    #expect(try verify(pending.logged(seen: made - 3600)).exitStatus == 0)
    #expect(try verify(pending.logged(seen: made - 3601)).failures == ["logTime.loggedBeforeStatement"])
    #expect(try verify(pending.logged(seen: loggedBy)).exitStatus == 0)
    let late = try verify(pending.logged(seen: loggedBy + 1))
    #expect(late.failures.isEmpty && late.exitStatus == 2)
    #expect(
      late.outcome(of: .logTime)
        == .skip(.seenAfterPromise(seen: "2026-02-02T00:00:00Z", loggedBy: TinyLog.promise.loggedBy)))
    // Nothing that a witness writes is too large.
    #expect(try verify(pending.logged(seen: UInt64(Int64.max))).failures.isEmpty)
  }

  @Test func aBrokenPromiseIsRefutedByWhoLooks() throws {
    let after = UTCTime.seconds(TinyLog.promise.loggedBy)! + 1
    // More than an hour after it was promised.
    let late = UInt64(after) + 3600
    let absent = try pending.observation(present: false, time: after, seen: late)
    let verdict = try verify(pending) { $0.observation = absent }
    #expect(verdict.failures == ["promise.promiseBroken"] && verdict.exitStatus == 1)
    #expect(verdict.outcome(of: .promise).reason.contains("none of its 7 entries"))
    let early = try pending.observation(present: false, time: after - 1, seen: late)
    #expect(try verify(pending) { $0.observation = early }.failures.isEmpty)
    #expect(try verify(pending) { $0.observation = early }.outcome(of: .promise).reason.hasPrefix("pending"))
    let present = try pending.observation(time: after, seen: late)
    let found = try verify(pending) { $0.observation = present }.outcome(of: .promise)
    #expect(found.word == "PASS" && found.reason.contains("does not show since when"))
    let inTime = try pending.observation(time: after - 1)
    #expect(!(try verify(pending) { $0.observation = inTime }.outcome(of: .promise).reason.contains("since when")))
    #expect(try verify(pending).outcome(of: .promise) == .skip(.notObserved))
    // An observation of another log, or one whose proof is none, decides nothing.
    let tree = TinyLog.tree([:])
    let foreign = try TinyLog.proof(of: 4, in: tree, log: TinyLog.otherLog)
    for observation in [
      LogObservation(signed: foreign.signed, finding: .absent, time: after),
      LogObservation(
        signed: present.signed, finding: .included(try TinyLog.proof(of: 3, in: tree).proof), time: after),
    ] {
      let verdict = try verify(pending) { $0.observation = observation }
      #expect(verdict.outcome(of: .promise).word == "SKIP" && verdict.failures.isEmpty)
    }
  }

  /// A copy of the log from before the promised time has no receipt that was logged later: nobody broke anything.
  @Test func anOldCopyOfTheLogRefutesNobody() throws {
    let loggedBy = UTCTime.seconds(TinyLog.promise.loggedBy)!
    let now = loggedBy + 1_000_000
    for seen in [TinyLog.seen, UInt64(loggedBy), UInt64(loggedBy) + 3600] {
      let old = try pending.observation(present: false, time: now, seen: seen)
      let verdict = try verify(pending) {
        $0.observation = old
        $0.requiredLevels = []
      }
      #expect(verdict.outcome(of: .promise).reason.contains("may be an old copy") && verdict.failures.isEmpty)
    }
    // Nobody says how old it is.
    let uncosigned = try pending.observation(present: false, time: now, seen: UInt64(now), witnesses: [])
    let unknown = try verify(pending) { $0.observation = uncosigned }.outcome(of: .promise)
    #expect(unknown.word == "SKIP" && unknown.reason.contains("not enough of your witnesses"))
    // Without witnesses the word of whoever looked counts, unless the file itself knows a larger tree.
    for policy in [TinyLog.withoutWitnesses, nil] {
      let looked = try pending.observation(present: false, time: now, seen: UInt64(now), witnesses: [])
      let change = { (options: inout VerifierOptions) in
        options.policy = policy
        options.observation = looked
        options.requiredLevels = []
      }
      #expect(try verify(pending, change).failures == ["promise.promiseBroken"])
      var larger = pending
      let tree = MerkleTree(leaves: (0..<9).map { $0 == 8 ? pending.receipt.leafHash : .leaf([UInt8($0)]) })
      larger.log = try TinyLog.proof(of: 8, in: tree, seen: UInt64(now))
      let verdict = try verify(larger, change)
      #expect(verdict.outcome(of: .promise).reason.contains("it is an older copy") && verdict.failures.isEmpty)
    }
  }

  @Test func twoHistoriesOfTheLogAreAFork() throws {
    let observation = try honest.observation()
    let other = TinyLog.tree([:]).root
    let size = observation.signed.checkpoint.size
    for (roots, failures) in [
      ([:], []), ([size: observation.signed.checkpoint.root], ["promise.logForked"]),
      ([size: try #require(honest.log?.signed.checkpoint.root)], []), ([size - 1: other], []),
    ] as [([UInt64: MerkleHash], [String])] {
      let looked = LogObservation(
        signed: observation.signed, finding: observation.finding, roots: roots, time: observation.time)
      #expect(try verify(honest) { $0.observation = looked }.failures == failures)
    }
  }

  @Test func aLookupThatDecidesNothingVerifiesNothing() throws {
    let after = UTCTime.seconds(TinyLog.promise.loggedBy)! + 1
    let foreign = try TinyLog.proof(of: 4, in: TinyLog.tree([:]), log: TinyLog.otherLog)
    let unusable = LogObservation(signed: foreign.signed, finding: .absent, time: after)
    let early = try pending.observation(present: false, time: after - 1)
    let present = try pending.observation(time: after - 1)
    for (observation, exitStatus) in [(nil, 2), (unusable, 2), (early, 0), (present, 0)] as [(LogObservation?, Int32)] {
      for isAskedFor in [true, false] {
        let verdict = try verify(pending) {
          $0.requiredLevels = []
          $0.observation = observation
          $0.isLookupAskedFor = isAskedFor
        }
        #expect(verdict.exitStatus == (isAskedFor ? exitStatus : 0))
        #expect(verdict.text(color: false).contains("hint: look the receipt up again") == (verdict.exitStatus == 2))
      }
    }
    #expect(try verify(pending) { $0.isLookupAskedFor = true }.outcome(of: .promise) == .skip(.lookupFailed))
  }

  /// Naming neither a log nor a witness is choosing nobody.
  @Test func aPolicyThatNamesNobodyEstablishesNothing() throws {
    let empty = try TrustPolicy(parsing: Array("quorum none\n".utf8))
    let verdict = try verify(honest) { $0.policy = empty }
    #expect(verdict.exitStatus == 2 && verdict.failures.isEmpty)
    #expect(verdict.outcome(of: .witnessQuorum) == .skip(.noWitnessesChosen(log: "log.example.org/tiny")))
  }

  struct LineTamper: Sendable, CustomStringConvertible {
    let line: Int
    let change: @Sendable (String) -> [String]
    let failures: [String]
    let description: String
    init(_ line: Int, _ what: String, _ failures: [String], _ change: @escaping @Sendable (String) -> [String]) {
      (self.line, self.change, self.failures, description) = (line, change, failures, "line \(line) \(what)")
    }
  }

  /// Every line of the proof that stays readable: changed, taken away, repeated.
  static let tampers: [LineTamper] = {
    @Sendable func flipped(_ line: String, at offset: Int) -> String {
      var characters = Array(line)
      characters[offset] = characters[offset] == "A" ? "B" : "A"
      return String(characters)
    }
    let (notIncluded, refused) = ("inclusion.notIncluded", "logSignature.checkpointRefused")
    var out = [
      LineTamper(1, "another index", [notIncluded]) { _ in ["index 5"] },
      LineTamper(1, "an index outside", [notIncluded]) { _ in ["index 7"] },
      LineTamper(6, "another origin", [refused]) { _ in ["log.example.org/tiny2"] },
      LineTamper(7, "another size", [refused]) { _ in ["8"] },
      LineTamper(7, "too small a size", [notIncluded, refused]) { _ in ["4"] },
      LineTamper(8, "another root", [notIncluded, refused]) { [flipped($0, at: 3)] },
      LineTamper(10, "another log signature", [refused]) { [flipped($0, at: 60)] },
      LineTamper(10, "without", [refused]) { _ in [] },
      LineTamper(10, "twice", []) { [$0, $0] },
    ]
    for line in 2...4 {
      out.append(LineTamper(line, "another hash", [notIncluded]) { [flipped($0, at: 7)] })
      out.append(LineTamper(line, "without", [notIncluded]) { _ in [] })
      out.append(LineTamper(line, "twice", [notIncluded]) { [$0, $0] })
    }
    for line in 11...12 {
      // The first characters after the name hold key ID and time.
      let start = "— witness0.example.org ".count
      for offset in [start + 9, start + 16, start + 60] {
        out.append(
          LineTamper(line, "changed at \(offset)", ["witnessQuorum.cosignatureRefused"]) {
            [flipped($0, at: offset)]
          })
      }
      out.append(LineTamper(line, "of another key", ["witnessQuorum.quorumNotReached"]) { [flipped($0, at: start)] })
      out.append(LineTamper(line, "without", ["witnessQuorum.quorumNotReached"]) { _ in [] })
      out.append(LineTamper(line, "twice", []) { [$0, $0] })
    }
    return out
  }()

  @Test func everyTamperOfTheProofIsRejectedByName() throws {
    let text = String(decoding: honest.log!.bytes, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    // Header, index, 3 hashes, gap, 3 of the checkpoint, gap, 3 signatures, nothing after the last newline.
    #expect(lines.count == 14 && lines[5].isEmpty && lines[9].isEmpty && lines[13].isEmpty)
    for tamper in Self.tampers {
      var changed = lines
      changed.replaceSubrange(tamper.line...tamper.line, with: tamper.change(lines[tamper.line]))
      var file = honest
      file.log = try InclusionEvidence(parsing: Array(changed.joined(separator: "\n").utf8))
      let verdict = try verify(file)
      #expect(verdict.failures == tamper.failures, "\(tamper)")
      #expect(verdict.exitStatus == (tamper.failures.isEmpty ? 0 : 1), "\(tamper)")
    }
    #expect(Self.tampers.count == 30)
    // Another receipt's proof.
    var file = honest
    file.log = honest.keys[0].log
    #expect(try verify(file).failures == ["inclusion.notIncluded"])
  }
}
