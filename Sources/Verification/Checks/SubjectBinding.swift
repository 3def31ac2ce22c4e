import Digests
import Receipts

/// What in-toto tools take for the statement's subject is the answer that the predicate describes.
enum SubjectBindingCheck: Check {
  static let name = CheckName.subjectBinding

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    switch try evidence.claim() {
    case .answer(let s): compare(s.subject, s.responseID, s.output.tokenCommitment)
    case .embedding(let s): compare(s.subject, s.responseID, s.output.vectorCommitment)
    }
  }

  private static func compare<Output>(
    _ subject: Statement.Subject<Output>, _ responseID: String, _ output: Digest<Output>
  ) -> CheckOutcome {
    guard subject.name == responseID else {
      return .fail(.subjectNameMismatch(subject: subject.name, responseID: responseID))
    }
    guard subject.digest == output else {
      return .fail(.subjectDigestMismatch(subject: subject.digest.hex, output: output.hex))
    }
    return .pass("the subject is the answer")
  }
}
