import Receipts
import Transparency

/// The checkpoint is signed by a log that the policy names, and it is the log that was promised.
enum LogSignatureCheck: Check {
  static let name = CheckName.logSignature

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let finding = try evidence.logFinding()
    let log: NoteVerifierKey
    switch finding.log {
    case .failure(let rejection): return .fail(.checkpointRefused(rejection))
    case .success(let key): log = key
    }
    let promised = try evidence.claim().promise?.log
    if let promised, promised != log { return .fail(.logNotPromised(log, promised: promised)) }
    if try evidence.logTrust().isBuiltIn {
      return .pass("signed by \(log.name), the log that the receipt itself names; you named none")
    }
    return .pass(
      promised == nil
        ? "signed by \(log.name), a log of your policy; the node had promised none"
        : "signed by \(log.name), as promised\(finding.isNamed(by: try evidence.logTrust()))")
  }
}

extension LogFinding {
  fileprivate func isNamed(by trust: LogTrust) -> String {
    trust.furtherLogs.isEmpty ? ", which your policy names" : "; your policy names no log"
  }
}
