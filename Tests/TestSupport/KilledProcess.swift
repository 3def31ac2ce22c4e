package import Foundation

/// A helper that is let work for a moment and then killed.
package struct KilledProcess {
  /// The lines that it has printed whole.
  package let lines: [String]
  /// Whether it lived until then.
  package let wasKilled: Bool

  /// - Parameters:
  ///   - output: a file for what it prints, removed afterwards.
  ///   - awaitsOutput: its start may take longer than its work: count the time from its first sign of life.
  package init(
    _ executable: URL, _ arguments: [String], output: String, awaitsOutput: Bool, milliseconds: Double
  ) throws {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    // A file takes whatever was printed before the death.
    try Data().write(to: URL(fileURLWithPath: output))
    defer { try? FileManager.default.removeItem(atPath: output) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    try process.run()
    while awaitsOutput, (try Data(contentsOf: URL(filePath: output))).isEmpty, process.isRunning { usleep(500) }
    usleep(UInt32(milliseconds * 1000))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    wasKilled = process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
    let text = String(decoding: try Data(contentsOf: URL(filePath: output)), as: UTF8.self)
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }
}
