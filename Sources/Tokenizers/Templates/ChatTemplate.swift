public import Digests

/// The Jinja template with which a model's publisher turns a conversation into a prompt.
///
/// The language is Jinja 2 as Hugging Face configures it for chat templates. A construct that is not
/// implemented is an error that names it; nothing is approximated. Rendering is a pure function of the
/// template, the context and the time that the caller passes in, and is bounded in steps and bytes.
public struct ChatTemplate: Sendable {
  public static let sourceBytesMax = 1 << 20

  /// What one rendering may use.
  public struct Limits: Sendable {
    public var stepsMax: Int
    public var outputBytesMax: Int
    /// Bytes of all values that the template makes along the way.
    public var workBytesMax: Int

    public init(stepsMax: Int = 4_000_000, outputBytesMax: Int = 32 << 20, workBytesMax: Int = 512 << 20) {
      self.stepsMax = stepsMax
      self.outputBytesMax = outputBytesMax
      self.workBytesMax = workBytesMax
    }
  }

  private let body: [TemplateStatement]

  public init(source: String) throws(TemplateError) {
    let bytes = Array(source.utf8)
    guard bytes.count <= Self.sourceBytesMax else { throw .limit("bytes of source", max: Self.sourceBytesMax) }
    body = try TemplateParser.parse(bytes)
  }

  /// The prompt.
  ///
  /// - Parameter context: an object: `messages`, `tools`, `add_generation_prompt`, `bos_token` and whatever
  ///   else the template reads.
  /// - Parameter now: what `strftime_now` prints; without it, a template that asks for the time fails.
  public func render(
    context: JSON, now: TemplateTime? = nil, limits: Limits = Limits()
  ) throws(TemplateError) -> String {
    guard let object = context.object else { throw .failed("the context is not an object", line: 0) }
    let globals = TemplateScope(parent: nil)
    for name in [
      "range", "namespace", "dict", "raise_exception", "strftime_now", "cycler", "joiner", "lipsum",
    ] {
      globals.variables[name] = .function(TemplateFunction(.global(name)))
    }
    for (key, json) in object.members where key.utf8.allSatisfy({ PythonText.isNameByte($0) }) {
      guard let value = TemplateValue(json) else {
        throw .limit("levels of the context", max: TemplateValue.nestingMax)
      }
      globals.variables[key] = value
    }
    var interpreter = TemplateInterpreter(globals: globals, now: now, limits: limits)
    return String(decoding: try interpreter.run(body), as: UTF8.self)
  }
}
