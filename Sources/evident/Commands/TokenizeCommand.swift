import ArgumentParser
import Digests
import Foundation
import Tokenizers

struct TokenizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Shows the tokens that a model sees for a text, or the text of tokens.",
    discussion: """
      Without TEXT, all of stdin is one text, byte for byte. With --json and without
      TEXT every line of stdin is one text, plain or, when it begins with a quotation
      mark, a JSON string, and gives one line: {"ids":[9707],"tokens":["Hello"]}; a
      token whose bytes are no text by themselves is {"bytes":"e4bd"}.

      With --decode TEXT, or stdin, holds ids separated by spaces or commas, and the
      text comes out byte for byte; with --json every line of stdin is an array of
      ids and gives {"text":"Hello"}, with "bytes" (hex) beside it when they are no
      text.

        evident tokenize evident-tiny "Hello, world!"
        evident tokenize model.gguf --ids < prompt.txt
        printf '"one\\\\n"\\ntwo\\n' | evident tokenize tokenizer.json --json
      """)

  static let textBytesMax = 1 << 30

  @Argument(
    help: "A model's name or digest, a .pack file, a .gguf file, or a tokenizer.json.",
    completion: .file(extensions: ["gguf", "json", "pack"]))
  var model: String
  @Argument(help: "The text (default: stdin).") var text: String?
  @Flag(help: "Print the ids on one line and nothing else.") var ids = false
  @Flag(help: "Print JSON, one object a text.") var json = false
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Add the special tokens that the model puts around a text; with --decode, show special tokens.",
      discussion: "A chat template writes them itself, so they are added to raw completions only."))
  var special = false
  @Flag(help: "Read special tokens in the text as ordinary text.") var literal = false
  @Flag(help: "From ids to text.") var decode = false

  func validate() throws {
    if ids, json { throw ValidationError("--ids and --json exclude each other; --json prints the ids as well") }
    if decode, ids || literal { throw ValidationError("--decode goes with neither --ids nor --literal") }
  }

  func run() async throws {
    let settings = try await Settings()
    let tokenizer = try Waiting.during("reading \(model)") { try TextSource.tokenizer(model, settings) }
    var output = Output()
    if json, text == nil {
      let input = try TextSource.read("-", bytesMax: Self.textBytesMax)
      var number = 0
      for line in Self.lines(input) {
        number += 1
        do {
          output.write(decode ? try decoded(ids(line), tokenizer) : encoded(try plain(line), tokenizer))
        } catch {
          output.flush()
          throw CommandFailure("line \(number) of stdin: \(error)", hint: "see `evident tokenize --help`")
        }
        output.write("\n")
      }
    } else {
      let input = try text.map { Array($0.utf8) } ?? TextSource.read("-", bytesMax: Self.textBytesMax)
      if decode {
        let found = try ids(input[...])
        if json {
          output.write(try decoded(found, tokenizer) + "\n")
        } else {
          try Self.check(found, tokenizer)
          output.write(bytes: tokenizer.decode(found, skipSpecial: !special))
        }
      } else if json {
        output.write(encoded(input, tokenizer) + "\n")
      } else {
        let found = tokenizer.encode(input, addSpecialTokens: special, allowSpecial: !literal)
        if ids {
          output.write(found.map { String($0) }.joined(separator: " ") + "\n")
        } else {
          let width = String(tokenizer.vocabularySize).count
          for id in found {
            let number = String(id)
            output.write(String(repeating: " ", count: max(0, width - number.count)) + number + "  ")
            output.write(Self.quoted(tokenizer.tokenBytes(id) ?? []) + "\n")
          }
        }
      }
    }
    output.flush()
  }

  // MARK: Texts

  private func encoded(_ text: [UInt8], _ tokenizer: Tokenizer) -> String {
    let found = tokenizer.encode(text, addSpecialTokens: special, allowSpecial: !literal)
    let tokens = found.map { id -> JSON in
      let bytes = tokenizer.tokenBytes(id) ?? []
      return String(validating: bytes, as: UTF8.self).map { .string($0) } ?? ["bytes": .string(Hex.string(bytes))]
    }
    return (["ids": .array(found.map { .integer(Int($0)) }), "tokens": .array(tokens)] as JSON).text()
  }

  private func decoded(_ ids: [Int32], _ tokenizer: Tokenizer) throws -> String {
    try Self.check(ids, tokenizer)
    let bytes = tokenizer.decode(ids, skipSpecial: !special)
    if let text = String(validating: bytes, as: UTF8.self) { return (["text": .string(text)] as JSON).text() }
    return
      (["text": .string(String(decoding: bytes, as: UTF8.self)), "bytes": .string(Hex.string(bytes))] as JSON).text()
  }

  private static func check(_ ids: [Int32], _ tokenizer: Tokenizer) throws {
    for id in ids where tokenizer.token(of: id) == nil { throw CommandFailure("no token has the id \(id)") }
  }

  /// The text of a line of JSON input.
  private func plain(_ line: ArraySlice<UInt8>) throws -> [UInt8] {
    guard line.first == UInt8(ascii: "\"") else { return Array(line) }
    guard let text = try JSON.parse(Array(line)).string else { throw CommandFailure("it is not one JSON string") }
    return Array(text.utf8)
  }

  /// Ids: a JSON array, or numbers separated by spaces, commas or line ends.
  private func ids(_ text: ArraySlice<UInt8>) throws -> [Int32] {
    var text = text
    while let last = text.last, last == 0x20 || (0x09...0x0D).contains(last) { text.removeLast() }
    while let first = text.first, first == 0x20 || (0x09...0x0D).contains(first) { text.removeFirst() }
    if text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") { text = text.dropFirst().dropLast() }
    return try text.split { $0 == 0x20 || $0 == 0x2C || (0x09...0x0D).contains($0) }.map { word in
      let word = String(decoding: word, as: UTF8.self)
      guard let id = Int32(word) else { throw CommandFailure("\"\(word.prefix(40))\" is not an id") }
      return id
    }
  }

  /// The lines, without their ends; the last one needs none.
  private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.last == 0x0D ? $0.dropLast() : $0 }
  }

  /// Quoted for people: what is not text is `\xE4`.
  static func quoted(_ bytes: [UInt8]) -> String {
    var out = "\""
    var rest = bytes[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      if let text = String(validating: rest.prefix(length), as: UTF8.self), let scalar = text.unicodeScalars.first {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        default:
          let isShown =
            scalar == " " || !(scalar.properties.isWhitespace || [.control, .format].contains(category(scalar)))
          out += isShown ? String(scalar) : "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
        rest = rest.dropFirst(text.utf8.count)
      } else {
        out += "\\x" + Hex.string([first]).uppercased()
        rest = rest.dropFirst()
      }
    }
    return out + "\""
  }

  private static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
    scalar.properties.generalCategory
  }

  /// Collects what goes to stdout.
  private struct Output {
    private var pending = Data()

    mutating func write(_ text: String) { write(bytes: Array(text.utf8)) }

    mutating func write(bytes: [UInt8]) {
      pending.append(contentsOf: bytes)
      if pending.count >= 1 << 16 { flush() }
    }

    mutating func flush() {
      FileHandle.standardOutput.write(pending)
      pending.removeAll(keepingCapacity: true)
    }
  }
}
