import Foundation
import LogReading
import Receipts
import Transparency
import Verification

/// Looks receipts up in a log before they are verified.
struct ReceiptLookup {
  private let result: LogLookup.Result
  private let time: Int64

  /// - Parameter files: evidence or receipts; what cannot be read is left to the verifier to say.
  init(_ files: [[UInt8]], in log: String) async throws {
    let source: any LogSource
    do { source = try LogPlace.source(log) } catch { throw CommandFailure(error.description) }
    let bar = ProgressBar("looking through \(log)")
    defer { bar.finish() }
    // Taken before the log is asked: never later than when it gave its checkpoint.
    time = Int64(Date().timeIntervalSince1970)
    do {
      result = try await Interruption.cancelling {
        try await LogLookup(source).find(
          Set(files.compactMap(ReceiptLookup.leafHash)), rootsOf: Set(files.compactMap(ReceiptLookup.size))
        ) {
          bar.update(done: Int($0), total: Int($1))
        }
      }
    } catch let finding as LogFinding {
      throw CommandFailure("the log \(log) cannot be looked through: \(finding)")
    }
  }

  /// nil for what is no evidence.
  func observation(of file: [UInt8]) -> LogObservation? {
    guard let leaf = ReceiptLookup.leafHash(file) else { return nil }
    return LogObservation(
      signed: result.signed, finding: result.proofs[leaf].map { .included($0) } ?? .absent, roots: result.roots,
      time: time)
  }

  /// Of the checkpoint in an evidence file.
  private static func size(_ file: [UInt8]) -> UInt64? {
    (try? EvidenceFile.parse(file))?.log?.signed.checkpoint.size
  }

  private static func leafHash(_ file: [UInt8]) -> MerkleHash? {
    ((try? EvidenceFile.parse(file).receipt) ?? (try? Envelope.parse(file)))?.leafHash
  }
}
