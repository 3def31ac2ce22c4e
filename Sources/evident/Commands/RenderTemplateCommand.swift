import ArgumentParser
import Digests
import Foundation
import Tokenizers

struct RenderTemplateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "render-template",
    abstract: "Prints exactly the prompt that a chat template makes of a conversation.",
    discussion: """
      The context is a JSON object: messages, tools, documents, add_generation_prompt
      and whatever else the template reads. For a model or a GGUF file, bos_token,
      eos_token and add_generation_prompt (true) are set where the context does not.
      Nothing is added to what the template prints, not even a line end.

        evident render-template evident-tiny --context chat.json
        evident render-template chat.jinja --context - --now 2026-11-20T12:00:00 < chat.json
      """)

  static let contextBytesMax = 64 << 20

  @Argument(
    help: "A Jinja file, a .gguf file, a .pack file, or a model's name or digest.",
    completion: .file(extensions: ["jinja", "gguf", "pack"]))
  var template: String
  @Option(help: ArgumentHelp("The context, a JSON file; - reads stdin.", valueName: "file"), completion: .file())
  var context: String
  @Option(
    help: ArgumentHelp(
      "The time that strftime_now prints (default: now, in UTC).", valueName: "YYYY-MM-DDThh:mm:ss"))
  var now: String?
  @Flag(help: "Print {\"text\": …} instead of the text.") var json = false

  func run() async throws {
    let source = try TextSource.template(template, try await Settings())
    let time: TemplateTime
    if let now {
      guard let given = TemplateTime(now) else {
        throw ValidationError("--now \(now) is not a time like 2026-11-20T12:00:00")
      }
      time = given
    } else {
      time = Self.currentTime()
    }
    let object = JSON.object(try readContext(source))
    let text = try ChatTemplate(source: source.source).render(context: object, now: time)
    if json {
      print((["text": .string(text)] as JSON).text())
    } else {
      Terminal.write(text)
    }
  }

  private func readContext(_ source: TextSource.Template) throws -> JSONObject {
    let place = context == "-" ? "stdin" : context
    let bytes = try TextSource.read(context, bytesMax: Self.contextBytesMax + 1)
    let json: JSON
    do { json = try JSON.parse(bytes, bytesMax: Self.contextBytesMax) } catch {
      throw CommandFailure("the context in \(place) is not acceptable JSON: \(error)")
    }
    guard var object = json.object else {
      throw CommandFailure(
        "the context in \(place) is \(json.kind), not an object",
        hint: "it looks like {\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}")
    }
    if let begin = source.beginOfSequence, let end = source.endOfSequence {
      if object["bos_token"] == nil { object["bos_token"] = .string(begin) }
      if object["eos_token"] == nil { object["eos_token"] = .string(end) }
      if object["add_generation_prompt"] == nil { object["add_generation_prompt"] = true }
    }
    return object
  }

  private static func currentTime() -> TemplateTime {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: Date())
    guard
      let time = TemplateTime(
        year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1, hour: parts.hour ?? 0,
        minute: parts.minute ?? 0, second: parts.second ?? 0)
    else { preconditionFailure("the calendar gave a time that does not exist") }
    return time
  }
}
