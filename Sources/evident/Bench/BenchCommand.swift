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
  @Option(help: ArgumentHelp("Format of a shape's linear weights.", valueName: "8bit|4bit")) var weights:
    ImportCommand.Weights = .eightBit
  @Option(parsing: .upToNextOption, help: "Prompt lengths.") var prefill: [Int] = [128, 512]
  @Option(parsing: .upToNextOption, help: "Context lengths to decode at.") var decodeAt: [Int] = [128]
  @Option(help: "Tokens to decode for one figure.") var decodeTokens = 64
  @Option(help: "Also the cost of replaying an answer of so many tokens, as a share of producing it.") var replay: Int?
  @Option(
    parsing: .upToNextOption, help: "Also the cost of verifying drafts of so many tokens, in steps without a draft.")
  var draft: [Int] = []
  @Option(help: "Times each figure is measured.") var repetitions = 3
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
    let longest =
      ([prefill.max() ?? 0, (decodeAt.max() ?? 0) + decodeTokens, 64 + (replay ?? 0)].max() ?? 0) + 32
      + (draft.max() ?? 0)
    let image: ModelImage
    if let shape {
      guard let found = RandomModel.shapes.first(where: { $0.name == shape }) else {
        throw ValidationError("--shape must be one of \(RandomModel.shapes.map(\.name).joined(separator: ", "))")
      }
      image = try RandomModel.make(found, fourBit: weights == .fourBit, contextLength: max(4096, longest))
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
    if !json {
      print("peak memory \(Terminal.bytes(BenchCommand.peakBytes()))")
    } else {
      print((["what": "peak memory", "bytes": .integer(BenchCommand.peakBytes())] as JSON).text())
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

  private static func peakBytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }
}

/// Times evaluations of one engine.
struct EngineBench {
  let engine: Engine

  private var vocabulary: Int { engine.image.manifest.config.vocabularySize }

  private func tokens(_ count: Int) -> [Int32] { (0..<count).map { Int32(($0 * 7919 + 13) % vocabulary) } }

  private func seconds(_ body: () -> Void) -> Double {
    let duration = ContinuousClock().measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private func evaluate(_ sequence: SequenceState, _ tokens: [Int32], _ wanted: LogitsWanted) {
    do { try engine.evaluate([Slice(sequence: sequence, tokens: tokens, logits: wanted)]) { _, _, _ in } } catch {
      preconditionFailure("tokens and lengths were checked: \(error)")
    }
  }

  func warmUp() { evaluate(engine.makeSequence(), tokens(32), .last) }

  func prefill(_ count: Int) -> Double {
    let sequence = engine.makeSequence()
    let prompt = tokens(count)
    return Double(count) / seconds { evaluate(sequence, prompt, .last) }
  }

  func decode(at position: Int, count: Int) -> Double {
    let sequence = engine.makeSequence()
    evaluate(sequence, tokens(position), .last)
    return Double(count) / seconds { for token in tokens(count) { evaluate(sequence, [token], .last) } }
  }

  /// A step that verifies a draft, relative to one without, in turns.
  func draftCost(_ count: Int, at position: Int, steps: Int) -> Double {
    let sequence = engine.makeSequence()
    evaluate(sequence, tokens(position), .last)
    let (one, several) = (tokens(1), tokens(1 + count))
    var (plain, drafted) = (0.0, 0.0)
    for _ in 0..<steps {
      plain += seconds { evaluate(sequence, one, .last) }
      sequence.truncate(to: position)
      drafted += seconds { evaluate(sequence, several, .all) }
      sequence.truncate(to: position)
    }
    return drafted / plain
  }

  /// Recomputing an answer in one teacher-forced prefill, relative to producing it token by token.
  func replayShare(prompt: Int, answer: Int) -> Double {
    let all = tokens(prompt + answer)
    let produced = engine.makeSequence()
    let producing = seconds {
      evaluate(produced, Array(all[..<prompt]), .last)
      for token in all[prompt..<(prompt + answer - 1)] { evaluate(produced, [token], .last) }
    }
    let replayed = engine.makeSequence()
    let replaying = seconds {
      evaluate(replayed, Array(all[..<(prompt - 1)]), .none)
      evaluate(replayed, Array(all[(prompt - 1)..<(prompt + answer - 1)]), .all)
    }
    return replaying / producing
  }
}
