import Receipts

/// What in-toto tools take for the statement's subject is the answer that the predicate describes.
enum SubjectBindingCheck: Check {
  static let name = CheckName.subjectBinding

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    guard statement.subject.name == statement.responseID else {
      return .fail(.subjectNameMismatch(subject: statement.subject.name, responseID: statement.responseID))
    }
    guard statement.subject.digest == statement.output.tokenCommitment else {
      return .fail(
        .subjectDigestMismatch(subject: statement.subject.digest, output: statement.output.tokenCommitment))
    }
    return .pass("the subject is the answer")
  }
}
