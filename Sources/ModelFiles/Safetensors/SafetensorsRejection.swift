public import Digests

/// Why a file is not safetensors that we accept. Every case names the file.
public enum SafetensorsRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooShort(file: String, bytes: Int)
  case headerTooLong(file: String, stated: UInt64, bytesMax: Int)
  case headerBeyondFile(file: String, stated: Int, bytes: Int)
  case headerJSON(file: String, JSONError)
  case tooManyEntries(file: String, entriesMax: Int)
  case header(file: String, tensor: String?, problem: String)
  case unsupportedFormat(file: String, tensor: String, found: String)
  case extent(file: String, tensor: String, stated: Int, shape: [Int], type: SafetensorsType)
  case overlap(file: String, tensor: String, after: String)
  case gap(file: String, before: String?, bytes: Int)
  case beyondFile(file: String, tensor: String, end: Int, bytes: Int)

  public var description: String {
    switch self {
    case .tooShort(let file, let n):
      "\(file): \(n) bytes are too few for a safetensors file; download it again"
    case .headerTooLong(let file, let stated, let max):
      "\(file): the header claims \(stated) bytes; the format allows \(max). The file is damaged or not safetensors"
    case .headerBeyondFile(let file, let stated, let n):
      "\(file): the header claims \(stated) bytes, but the file has only \(n); download it again"
    case .headerJSON(let file, let error): "\(file): the header is not valid: \(error)"
    case .tooManyEntries(let file, let max): "\(file): the header has more than \(max) entries"
    case .header(let file, let tensor, let problem):
      "\(file): the header\(tensor.map { "'s entry for \(quoted($0))" } ?? "") \(problem)"
    case .unsupportedFormat(let file, let tensor, let found):
      "\(file): tensor \(quoted(tensor)) is \(found.prefix(40)); supported are F32, F16 and BF16. "
        + "Convert the model to one of them first"
    case .extent(let file, let tensor, let stated, let shape, let type):
      "\(file): tensor \(quoted(tensor)) has \(stated) bytes; shape \(shape) in \(type.rawValue) needs another number"
    case .overlap(let file, let tensor, let after): "\(file): tensor \(quoted(tensor)) overlaps \(quoted(after))"
    case .gap(let file, let before, let n):
      "\(file): \(n) bytes \(before.map { "before tensor \(quoted($0))" } ?? "at the end") belong to no tensor"
    case .beyondFile(let file, let tensor, let end, let n):
      "\(file): tensor \(quoted(tensor)) ends at byte \(end) of the data, which has \(n); download the file again"
    }
  }
}

/// A name from outside, made safe to print: bounded, without control characters.
func quoted(_ name: String) -> String {
  let scalars = name.unicodeScalars.prefix(120).map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
  var text = String.UnicodeScalarView()
  text.append(contentsOf: scalars)
  return "\"" + String(text) + (name.unicodeScalars.count > 120 ? "…\"" : "\"")
}
