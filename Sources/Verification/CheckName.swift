/// Every check there is, in the order they are performed and shown.
public enum CheckName: String, Sendable, CaseIterable {
  case fileStructure
  case statementStructure
  case canonicalPayload
  case signature
  case keyBinding
  case subjectBinding
  case nonceBinding
  case usageCounts
  case modelManifest
  case parameters
  case promptCommitment
  case inputTokens
  case outputTokens
  case textCommitment
  case vectors
  case streamChain
  case finish
  case inclusion
  case logSignature
  case witnessQuorum
  case logTime
  case promise
  case keyHistory
  case rendering
  case decoding
  case replay

  /// What a check needs in order to be performed.
  public enum Need: Sendable {
    /// The receipt alone.
    case receipt
    /// A complete evidence file.
    case evidence
    /// The log's proof in the file.
    case log
    /// Somebody who looked into the log.
    case observation
    /// Logged entries about the node's keys in the file.
    case keys
    /// The model's own files: tokenizer and chat template.
    case modelFiles
    /// The model's own files and the time to run it.
    case computation
  }

  public var need: Need {
    switch self {
    case .fileStructure, .statementStructure, .canonicalPayload, .signature, .keyBinding, .subjectBinding,
      .nonceBinding, .usageCounts:
      .receipt
    case .modelManifest, .parameters, .promptCommitment, .inputTokens, .outputTokens, .textCommitment, .vectors,
      .streamChain, .finish:
      .evidence
    case .inclusion, .logSignature, .witnessQuorum, .logTime: .log
    case .promise: .observation
    case .keyHistory: .keys
    case .rendering, .decoding: .modelFiles
    case .replay: .computation
    }
  }

  /// In a few words, for the line that shows the result.
  public var title: String {
    switch self {
    case .fileStructure: "file"
    case .statementStructure: "statement"
    case .canonicalPayload: "canonical form"
    case .signature: "signature"
    case .keyBinding: "node key"
    case .subjectBinding: "subject"
    case .nonceBinding: "randomness"
    case .usageCounts: "usage"
    case .modelManifest: "model manifest"
    case .parameters: "parameters"
    case .promptCommitment: "prompt"
    case .inputTokens: "input tokens"
    case .outputTokens: "output tokens"
    case .textCommitment: "text"
    case .vectors: "embeddings"
    case .streamChain: "stream"
    case .finish: "finish"
    case .inclusion: "inclusion"
    case .logSignature: "log signature"
    case .witnessQuorum: "witness quorum"
    case .logTime: "log time"
    case .promise: "promise"
    case .keyHistory: "key history"
    case .rendering: "prompt rendering"
    case .decoding: "text decoding"
    case .replay: "replay"
    }
  }
}
