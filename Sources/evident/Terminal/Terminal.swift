import Foundation

/// What is written where: answers on stdout, everything about them on stderr.
enum Terminal {
  static let isErrorInteractive = isatty(STDERR_FILENO) == 1
  static let isOutputInteractive = isatty(STDOUT_FILENO) == 1
  static let isInputInteractive = isatty(STDIN_FILENO) == 1

  /// Colours only where a person looks, and never against NO_COLOR (no-color.org).
  static func usesColor(_ interactive: Bool) -> Bool {
    interactive && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  static func write(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
  }

  static func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Text that may quote a file of anyone's: nothing in it steers a terminal, and it fits on a screen.
  static func printable(_ text: String, bytesMax: Int = 2000) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      guard out.utf8.count < bytesMax else { return out + " …" }
      switch scalar.properties.generalCategory {
      case .control where scalar != "\n", .format, .lineSeparator, .paragraphSeparator:
        out += "\\u{\(String(scalar.value, radix: 16))}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The same in one line: a newline is shown, not made.
  static func printableLine(_ text: String, bytesMax: Int = 2000) -> String {
    printable(text, bytesMax: bytesMax).replacing("\n", with: "\\u{a}")
  }

  static func dim(_ text: String) -> String { usesColor(isErrorInteractive) ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
  static func green(_ text: String) -> String { usesColor(isErrorInteractive) ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
  static func red(_ text: String) -> String { usesColor(isErrorInteractive) ? "\u{1B}[31m\(text)\u{1B}[0m" : text }

  /// 1234567 → "1.2 MB"
  static func bytes(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (tenths, unit) = (count * 10, 0)
    while tenths >= 10_000 && unit < units.count - 1 {
      tenths /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
