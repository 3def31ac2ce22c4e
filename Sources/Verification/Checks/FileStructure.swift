import Receipts

/// The file is an evidence file or a receipt: all members there, none unknown, each of its form.
enum FileStructureCheck: Check {
  static let name = CheckName.fileStructure

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    switch evidence.document {
    case .failure(let rejection): return .fail(.malformed(rejection))
    case .success(let document):
      return .pass(
        document.isReceiptOnly
          ? "it is a receipt without opening"
          : document.opening == nil ? "it is an evidence file without opening" : "it is a complete evidence file")
    }
  }
}
