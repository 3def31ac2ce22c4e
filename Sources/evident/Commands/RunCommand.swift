import ArgumentParser
import Digests
import Foundation
import Inference
import ModelFiles
import ModelGraph
import Node
import Receipts
import Verification

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Answers a question, or chats; verifies every answer before it says so.",
    discussion: """
      With a prompt, or text on stdin: one answer. Without: a conversation; end it
      with Ctrl-D or /bye. A single argument is a model when one has that name, and a
      prompt otherwise.
      """)

  @Argument(help: ArgumentHelp("[model] [prompt]", valueName: "model-and-prompt")) var words: [String] = []
  @Option(help: ArgumentHelp("Write the evidence file of the last answer.", valueName: "file"), completion: .file())
  var evidence: String?
  @Option(
    help: ArgumentHelp(
      "Write the last answer as it comes, with the node's signed checkpoints, for evident verify --stream.",
      valueName: "file"), completion: .file())
  var streamFile: String?
  @Option(help: "A system message.") var system: String?
  @Option(help: "0 is greedy; up to 2.") var temperature: String?
  @Option(help: "Keep the likeliest tokens up to this probability.") var topP: String?
  @Option(help: "Keep this many of the likeliest tokens.") var topK: Int?
  @Option(help: "Fixes the random bits.") var seed: UInt64?
  @Option(help: "Your own contribution to the random bits, in hex; nobody can then choose them for you.")
  var nonce: String?
  @Option(help: "The most tokens to generate.") var maxTokens: Int?
  @Flag(help: "Do not recompute the answer; only check the signature and what it binds.") var noReplay = false
  @Flag(help: "Print JSON: text, receipt id and verdict.") var json = false
  @OptionGroup var engine: EngineArguments

  func run() async throws {
    let settings = try await Settings()
    let store = ModelStore(root: settings.modelsFolder)
    let (name, argument) = try modelAndPrompt(store, settings)
    let session = try RunSession(
      store: store, settings: settings, modelName: name, engine: engine.options(settings), parameters: parameters(),
      nonce: nonceBytes(), evidencePath: evidence, streamPath: streamFile, replay: !noReplay, json: json)
    var messages: [Request.Message] = system.map { [.init(role: "system", content: $0)] } ?? []
    if let prompt = try argument ?? RunCommand.standardInput() {
      messages.append(.init(role: "user", content: prompt))
      try await session.answer(messages)
    } else {
      try await chat(session, &messages)
    }
  }

  private func chat(_ session: RunSession, _ messages: inout [Request.Message]) async throws {
    Terminal.note(Terminal.dim("Chatting with \(session.modelName). Ctrl-D or /bye ends it."))
    while true {
      if Terminal.isOutputInteractive { Terminal.write(">>> ") }
      guard let line = readLine() else { break }
      let text = line.trimmingCharacters(in: .whitespaces)
      if text == "/bye" { return }
      if text.isEmpty { continue }
      messages.append(.init(role: "user", content: text))
      let answer = try await session.answer(messages)
      messages.append(.init(role: "assistant", content: answer))
    }
    if Terminal.isOutputInteractive { Terminal.write("\n") }
  }

  /// The text on stdin when it is not a person's terminal.
  private static func standardInput() throws -> String? {
    guard !Terminal.isInputInteractive else { return nil }
    let data = try FileHandle.standardInput.readToEnd() ?? Data()
    guard let text = String(validating: data, as: UTF8.self) else {
      throw CommandFailure("the text on stdin is not UTF-8")
    }
    let trimmed = text.trimmingCharacters(in: .newlines)
    guard !trimmed.isEmpty else { throw CommandFailure("there is no prompt", hint: "evident run \"What is Evident?\"") }
    return trimmed
  }

  private func modelAndPrompt(_ store: ModelStore, _ settings: Settings) throws -> (model: String, prompt: String?) {
    let standard = settings.string("model") ?? EmbeddedModel.name
    switch words.count {
    case 0: return (standard, nil)
    case 1:
      do {
        _ = try store.resolve(words[0])
        return (words[0], nil)
      } catch let error as StoreRejection {
        // The name of a repository is not a question.
        if case .notPulled = error { throw error }
        return (standard, words[0])
      } catch {
        return (standard, words[0])
      }
    case 2: return (words[0], words[1])
    default:
      throw ValidationError("at most a model and a prompt are expected; put the prompt in quotes")
    }
  }

  private func parameters() throws -> SamplingParameters {
    func micros(_ text: String?, _ flag: String, _ upper: Int) throws -> Int? {
      guard let text else { return nil }
      guard let number = try? JSON.parse(text).number, let value = number.scaled(byPowerOfTen: 6),
        (0...upper).contains(value)
      else { throw ValidationError("--\(flag) is \"\(text)\"; it must be a number between 0 and \(upper / 1_000_000)") }
      return value
    }
    let temperature = try micros(temperature, "temperature", 2_000_000) ?? 0
    do {
      return try SamplingParameters(
        temperatureMicros: temperature < 1000 ? 0 : temperature, topK: topK ?? 0,
        topPMicros: max(1, micros(topP, "top-p", 1_000_000) ?? 1_000_000), seed: seed,
        maxTokens: maxTokens ?? SamplingParameters.maxTokensMax)
    } catch let error as FieldError {
      throw ValidationError(error.description)
    }
  }

  private func nonceBytes() throws -> [UInt8]? {
    guard let nonce else { return nil }
    guard let bytes = Hex.bytes(nonce), (1...64).contains(bytes.count) else {
      throw ValidationError("--nonce must be 1 to 64 bytes in lower-case hex")
    }
    return bytes
  }
}
