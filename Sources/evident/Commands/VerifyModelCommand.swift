import ArgumentParser
import Digests
import ModelFiles
import ModelGraph

struct VerifyModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-model",
    abstract: "Hashes models again and says whether every byte is what its digest names.",
    discussion: """
      Without models, or with --all, everything in the store is looked at, also what
      should not be there. The exit status is 0 when all is well and 1 when something
      is not.
      """)

  @Argument(help: "Names, digests or their beginnings, or .pack files.") var models: [String] = []
  @Flag(help: "Look at the whole store.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard models.isEmpty || !all else { throw ValidationError("give models or --all, not both") }
  }

  func run() async throws {
    let store = ModelStore(root: try await Settings().modelsFolder)
    let models = models
    let bar = ProgressBar("verifying", showsRate: true)
    let findings: [StoreFinding]
    do {
      findings = try await Interruption.cancelling {
        try VerifyModelCommand.findings(store, models) { bar.update(done: $0, total: $1) }
      }
      bar.finish()
    } catch {
      bar.finish()
      guard error is CancellationError else { throw error }
      Terminal.note("stopped")
      throw ExitCode(130)
    }
    report(findings)
    if findings.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
  }

  private static func findings(
    _ store: ModelStore, _ models: [String], progress: (Int, Int) -> Void
  ) throws -> [StoreFinding] {
    var findings: [StoreFinding] = []
    var stored: Set<Digest<ModelManifest>> = []
    // The built-in model and packs are read whole, and checked, by opening them.
    func open(_ reference: ModelReference, _ subject: String) throws {
      do {
        _ = try store.open(reference)
        findings.append(StoreFinding(subject: subject, problem: nil))
      } catch let error as CancellationError {
        throw error
      } catch {
        findings.append(StoreFinding(subject: subject, problem: "\(error)"))
      }
    }
    for model in models {
      switch try store.resolve(model) {
      case .stored(let digest): stored.insert(digest)
      case .embedded: try open(.embedded, EmbeddedModel.name)
      case .pack(let path): try open(.pack(path: path), path)
      }
    }
    if models.isEmpty { try open(.embedded, EmbeddedModel.name) }
    if models.isEmpty || !stored.isEmpty {
      findings += try store.verify(models: models.isEmpty ? nil : stored, progress: progress)
    }
    return findings
  }

  private func report(_ findings: [StoreFinding]) {
    if json {
      let list = findings.map { finding in
        ["subject": .string(finding.subject), "problem": finding.problem.map { .string($0) } ?? .null] as JSON
      }
      let isSound = findings.allSatisfy { $0.problem == nil }
      print((["sound": .bool(isSound), "findings": .array(list)] as JSON).text())
      return
    }
    for finding in findings {
      print(finding.problem.map { "FAIL  \(finding.subject)  \($0)" } ?? "PASS  \(finding.subject)")
    }
  }
}
