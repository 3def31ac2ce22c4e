import Configuration
import Foundation
import ModelFiles
import SystemPackage

/// Settings from environment (`EVIDENT_*`) and the configuration file; flags are applied on top.
///
/// A value that is present and wrong is an error that names it, never a silent default.
struct Settings: Sendable {
  private let reader: ConfigReader
  let configurationFile: String

  /// Reads `$EVIDENT_CONFIG`, or `config.json` in `$XDG_CONFIG_HOME/evident` when it exists.
  init() async throws {
    let chosen = Settings.environment("EVIDENT_CONFIG")
    configurationFile = chosen ?? Settings.folder("XDG_CONFIG_HOME", ".config") + "/config.json"
    let environment = EnvironmentVariablesProvider().prefixKeys(with: "evident")
    do {
      let file = try await FileProvider<JSONSnapshot>(
        filePath: FilePath(configurationFile), allowMissing: chosen == nil)
      reader = ConfigReader(providers: [environment, file])
    } catch {
      throw CommandFailure(
        "the configuration file \(configurationFile) cannot be read: \(error)",
        hint: "it must be a JSON object such as {\"port\": 8462, \"retain\": 86400}")
    }
  }

  func string(_ key: String) -> String? {
    reader.string(forKey: ConfigKey(key)) ?? reader.int(forKey: ConfigKey(key)).map(String.init)
  }

  func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let text = string(key) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw CommandFailure(
        "the setting \"\(key)\" is \"\(text)\"; it must be an integer between \(range.lowerBound) and \(range.upperBound)",
        hint: "it comes from the environment (EVIDENT_\(Settings.variable(key))) or from \(configurationFile)")
    }
    return value
  }

  /// Where models are kept.
  var modelsFolder: String {
    string("models") ?? ModelStore.defaultRoot(environment: ProcessInfo.processInfo.environment)
  }

  /// The key that signs models, unless another is given.
  var modelSigningKeyFile: String { stateFolder + "/model-signing.pem" }

  /// Where the public keys lie that may sign models, as .pem files.
  var trustedSignersFolder: String {
    string("trustedSigners") ?? Settings.folder("XDG_CONFIG_HOME", ".config") + "/trusted-signers"
  }

  /// The secret key of the log in a folder: beside it, so that no two folders are histories of one key, and not in it,
  /// so that it is not served.
  func logKeyFile(ofLogIn folder: String) -> String { string("logKey") ?? folder + ".key" }

  /// Where the log on this machine is kept.
  var logFolder: String { string("logDir") ?? stateFolder + "/log" }

  /// The trust policy of whoever verifies here, in C2SP's tlog-policy format.
  var policyFile: String { Settings.folder("XDG_CONFIG_HOME", ".config") + "/policy" }

  /// Where the node key and the receipts are kept.
  var stateFolder: String { string("state") ?? Settings.folder("XDG_STATE_HOME", ".local/state") }

  /// maxQueue → MAX_QUEUE
  private static func variable(_ key: String) -> String {
    key.reduce(into: "") { $0 += $1.isUppercase ? "_\($1)" : $1.uppercased() }
  }

  private static func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// An XDG base directory with our folder in it (XDG Base Directory Specification 0.8).
  private static func folder(_ variable: String, _ fallback: String) -> String {
    // The specification asks to ignore relative paths.
    if let base = environment(variable), base.hasPrefix("/") { return base + "/evident" }
    return (environment("HOME") ?? NSHomeDirectory()) + "/" + fallback + "/evident"
  }
}
