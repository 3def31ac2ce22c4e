import ArgumentParser
import Inference

/// How a model is run. None of these changes an answer.
struct EngineArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Threads (EVIDENT_THREADS; default: all cores).", valueName: "n")) var threads: Int?
  @Option(
    help: ArgumentHelp(
      "Kernel set: auto, scalar, avx2, avx512vnni or neon (EVIDENT_KERNELS).", valueName: "name"))
  var kernels: String?

  func validate() throws {
    guard threads.map({ (1...EngineOptions.threadsMax).contains($0) }) ?? true else {
      throw ValidationError("--threads must be between 1 and \(EngineOptions.threadsMax)")
    }
  }

  func options(_ settings: Settings) throws -> EngineOptions {
    var options = EngineOptions()
    if let threads = try threads ?? settings.integer("threads", 1...256) { options.threads = threads }
    if let kernels = kernels ?? settings.string("kernels"), kernels != "auto" { options.kernels = .named(kernels) }
    return options
  }
}
