import ArgumentParser
import Digests
import Foundation
import Inference
import ModelFiles
import ModelGraph

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures how fast this machine runs a model.",
    discussion: "A model of the store, or a shape with random weights. Figures are medians with minimum and maximum.")

  @Argument(help: "A model; leave out with --shape.") var model: String?
  @Option(help: "Random weights in a shape: \(RandomModel.shapes.map(\.name).joined(separator: ", ")).") var shape:
    String?
  @Option(help: ArgumentHelp("Format of a shape's linear weights.", valueName: "4bit|8bit|16bit")) var weights:
    WeightArguments.Bits = .eightBit
  @Option(help: ArgumentHelp("Format of a shape's head.", valueName: "4bit|8bit|16bit")) var head:
    WeightArguments.Bits = .eightBit
  @Option(parsing: .upToNextOption, help: "Prompt lengths.") var prefill: [Int] = [128, 512]
  @Option(parsing: .upToNextOption, help: "Context lengths to decode at.") var decodeAt: [Int] = [128]
  @Option(help: "Tokens to decode for one figure.") var decodeTokens = 64
  @Option(help: "Also the cost of replaying an answer of so many tokens, as a share of producing it.") var replay: Int?
  @Option(
    parsing: .upToNextOption, help: "Also the cost of verifying drafts of so many tokens, in steps without a draft.")
  var draft: [Int] = []
  @Option(help: "Times each figure is measured.") var repetitions = 3
  @Flag(help: "Also where the time goes, by kind of step, in a prefill and in decoding.") var profile = false
  @Flag(help: "One JSON line per measurement.") var json = false
  @OptionGroup var engine: EngineArguments

  func validate() throws {
    func require(_ values: [Int], _ flag: String) throws {
      guard values.allSatisfy({ (1...1 << 20).contains($0) }) else {
        throw ValidationError("--\(flag) must be between 1 and \(1 << 20)")
      }
    }
    try require(prefill, "prefill")
    try require(decodeAt, "decode-at")
    try require([decodeTokens], "decode-tokens")
    try require([replay ?? 1], "replay")
    try require(draft, "draft")
    try require([repetitions], "repetitions")
  }

  func run() async throws {
    let settings = try await Settings()
    let before = BenchCommand.memory("VmRSS")
    let longest =
      ([prefill.max() ?? 0, (decodeAt.max() ?? 0) + decodeTokens, 64 + (replay ?? 0)].max() ?? 0) + 32
      + (draft.max() ?? 0)
    let image: ModelImage
    if let shape {
      guard let found = RandomModel.shapes.first(where: { $0.name == shape }) else {
        throw ValidationError("--shape must be one of \(RandomModel.shapes.map(\.name).joined(separator: ", "))")
      }
      image = try RandomModel.make(found, linears: weights.kind, head: head.kind, contextLength: max(4096, longest))
    } else {
      image = try ModelStore(root: settings.modelsFolder).open(model ?? EmbeddedModel.name).image
    }
    guard longest <= image.manifest.config.contextLength else {
      throw ValidationError("the model's context of \(image.manifest.config.contextLength) is shorter than \(longest)")
    }
    let bench = EngineBench(engine: try Engine(image: image, options: engine.options(settings)))
    if !json { print("\(bench.engine.kernels) kernels, \(bench.engine.options.threads) threads") }
    bench.warmUp()
    for count in prefill { report("prefill \(count)", "tokensPerSecond", repeated { bench.prefill(count) }) }
    for position in decodeAt {
      report("decode @\(position)", "tokensPerSecond", repeated { bench.decode(at: position, count: decodeTokens) })
    }
    // Of what other programs do, too; a replay has logits of every position.
    let peak = BenchCommand.memory("VmHWM") - before
    if !json {
      print("peak memory    \(Terminal.bytes(peak)) beyond the \(Terminal.bytes(before)) of the program itself")
    } else {
      print((["what": "peak memory", "bytes": .integer(peak)] as JSON).text())
    }
    for position in decodeAt {
      for count in draft {
        report(
          "draft \(count) @\(position)", "steps",
          repeated { bench.draftCost(count, at: position, steps: decodeTokens) })
      }
    }
    if let replay {
      report("replay \(replay)", "shareOfProducing", repeated { bench.replayShare(prompt: 64, answer: replay) })
    }
    if profile && !json {
      let count = prefill.last ?? 512
      ProfileTable(bench.engine.profile { _ = bench.prefill(count) }).print("prefill \(count)")
      let position = decodeAt.last ?? 128
      ProfileTable(bench.profileOfDecoding(at: position, count: decodeTokens)).print("decode @\(position)")
      print("\nchoosing a token")
      for (name, parameters) in try EngineBench.choices() {
        report(name, "microseconds", repeated { bench.choosing(parameters, count: 20) })
      }
    }
  }

  private func repeated(_ body: () -> Double) -> [Double] { (0..<repetitions).map { _ in body() } }

  private func report(_ what: String, _ unit: String, _ values: [Double]) {
    let sorted = values.sorted()
    if json {
      for value in values { print("{\"what\":\"\(what)\",\"\(unit)\":\(value)}") }
    } else {
      let median = sorted[sorted.count / 2]
      print(
        String(
          format: "%-14@ %10.2f  (%.2f – %.2f) %@", what as NSString, median, sorted[0], sorted[sorted.count - 1],
          unit as NSString))
    }
  }

  /// A line of the process's status, in bytes; 0 where there is none.
  private static func memory(_ field: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }
}
