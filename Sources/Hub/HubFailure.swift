import Networking

/// The network, the hub's rules or this machine are in the way; nobody's bytes are at fault.
public enum HubFailure: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidSetting(name: String, value: String, wanted: String)
  case unreachable(host: String, reason: String)
  case connectionFailed(host: String, reason: String)
  case untrustedCertificate(host: String)
  case serverError(host: String, status: Int)
  case tooManyRequests(host: String, seconds: Int?)
  case noSuchRepository(String, isAuthorised: Bool)
  case noSuchRevision(String, repository: String)
  case noSuchFile(String, repository: String)
  case gated(String, endpoint: String, isAuthorised: Bool)
  case tokenRefused(endpoint: String)
  case refused(status: Int, url: String, message: String)
  case notCached(String, folder: String)
  case diskFull(folder: String, bytesNeeded: Int, bytesFree: Int)
  case nameTaken(String, by: String)

  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let wanted): "\(name) is \"\(value)\"; it must be \(wanted)"
    case .unreachable(let host, let reason): "\(host) cannot be reached: \(reason)"
    case .connectionFailed(let host, let reason): "the connection to \(host) failed: \(reason)"
    case .untrustedCertificate(let host): "the certificate of \(host) is not one that this machine trusts"
    case .serverError(let host, let status): "\(host) keeps answering with HTTP \(status)"
    case .tooManyRequests(let host, let seconds):
      "\(host) takes no more requests for now (HTTP 429)"
        + (seconds.map { "; it asks to wait \($0) seconds" } ?? "")
    case .noSuchRepository(let name, let isAuthorised):
      isAuthorised
        ? "the hub has no repository \(name) that your token may see"
        : "the hub has no public repository \(name)"
    case .noSuchRevision(let revision, let repository): "\(repository) has no branch, tag or commit \(revision)"
    case .noSuchFile(let file, let repository): "\(repository) has no file \(file)"
    case .gated(let name, _, let isAuthorised):
      "\(name) is gated: its publisher lets only those have it who accepted the licence"
        + (isAuthorised ? ", and your account has not" : "")
    case .tokenRefused(let endpoint): "\(endpoint) does not accept your token"
    case .refused(let status, let url, let message):
      "the hub refuses \(url) with HTTP \(status)" + (message.isEmpty ? "" : ": \(message)")
    case .notCached(let what, let folder): "offline, and \(what) is not in the Hugging Face cache \(folder)"
    case .diskFull(let folder, let needed, let free):
      "not enough disk space in \(folder): \(megabytes(needed)) MB are needed, \(megabytes(free)) MB are free"
    case .nameTaken(let name, let other): "the name \(name) already stands for \(other)"
    }
  }

  public var hint: String? {
    switch self {
    case .invalidSetting: nil
    case .unreachable:
      "check the network, or HF_ENDPOINT; with --offline only the Hugging Face cache on this machine is used"
    case .connectionFailed: "pull again; it goes on where it stopped"
    case .untrustedCertificate:
      "install the package ca-certificates, or name your organisation's certificates in SSL_CERT_FILE"
    case .serverError: "try again later; what has arrived is kept"
    case .tooManyRequests: "try again later, or set HF_TOKEN: known users may ask more often"
    case .noSuchRepository(_, let isAuthorised):
      isAuthorised ? "check its name" : "check its name; if it is private, set HF_TOKEN"
    case .noSuchRevision: "look at the repository's branches and tags, or leave out @revision"
    case .noSuchFile: "look at the repository's files"
    case .gated(let name, let endpoint, let isAuthorised):
      "accept the licence at \(endpoint)/\(name)"
        + (isAuthorised ? " with the account of your HF_TOKEN" : " and set HF_TOKEN to a token of that account")
    case .tokenRefused: "set HF_TOKEN to a valid token, or unset it for public models"
    case .refused: nil
    case .notCached: "pull it while online (unset HF_HUB_OFFLINE, leave out --offline)"
    case .diskFull: "free some disk space, or set EVIDENT_MODELS to a folder on a larger disk"
    case .nameTaken(let name, _): "choose another with --name, or remove that model first: evident rm \(name)"
    }
  }
}

/// The hub's bytes or answers are not what they should be, or the request names nothing in particular.
public enum HubRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidReference(String, problem: String)
  case malformedAnswer(url: String, problem: String)
  case wrongDigest(file: String, found: String, stated: String)
  case wrongSize(file: String, found: Int, stated: Int)
  case changed(file: String)
  case redirect(url: String, problem: String)
  case missingFile(String, repository: String, hint: String)
  case nothingUsable(repository: String, found: [String])
  case chooseFile(repository: String, candidates: [String])
  case ambiguousFile(String, candidates: [String])
  case noMatch(String, repository: String, candidates: [String])
  case missingPart(of: String, number: Int)

  public var description: String {
    switch self {
    case .invalidReference(let text, let problem): "\"\(text)\" is not a model on a hub: \(problem)"
    case .malformedAnswer(let url, let problem): "the hub's answer to \(url) cannot be used: \(problem)"
    case .wrongDigest(let file, let found, let stated):
      "\(file) arrived with digest \(found); the hub states \(stated). The bytes were refused and removed"
    case .wrongSize(let file, let found, let stated):
      "\(file) has \(found) bytes where it is sent from; the hub states \(stated)"
    case .changed(let file): "\(file) changed at the hub while it was being downloaded"
    case .redirect(let url, let problem): "\(url) leads on to somewhere that is not followed: \(problem)"
    case .missingFile(let file, let repository, _): "\(repository) has no \(file)"
    case .nothingUsable(let repository, let found):
      "\(repository) has neither safetensors nor GGUF files"
        + (found.isEmpty ? "" : " (it has \(found.joined(separator: ", ")))")
    case .chooseFile(let repository, let candidates):
      "\(repository) has several GGUF files: \(candidates.joined(separator: ", "))"
    case .ambiguousFile(let file, let candidates):
      "\"\(file)\" fits several files: \(candidates.joined(separator: ", "))"
    case .noMatch(let file, let repository, let candidates):
      "\(repository) has no GGUF file that fits \"\(file)\""
        + (candidates.isEmpty ? "" : "; it has \(candidates.joined(separator: ", "))")
    case .missingPart(let file, let number): "\(file) was split, and part \(number) is missing"
    }
  }

  public var hint: String? {
    switch self {
    case .invalidReference: "write org/name, org/name@revision or org/name:file"
    case .malformedAnswer: "check HF_ENDPOINT: is it a Hugging Face-compatible hub?"
    case .wrongDigest: "try again; if it stays so, the hub or a proxy alters the file"
    case .wrongSize: "try again; if it stays so, the hub or a proxy alters the file"
    case .changed: "pull again"
    case .redirect: nil
    case .missingFile(_, _, let hint): hint
    case .nothingUsable: "look for a repository with safetensors, or convert the weights first"
    case .chooseFile(let repository, let candidates):
      "name one: evident pull \(repository):\(candidates.first.map(FileSelection.shortest) ?? "FILE")"
    case .ambiguousFile: "give the whole file name"
    case .noMatch: nil
    case .missingPart: "look for a repository that has all parts"
    }
  }
}

private func megabytes(_ bytes: Int) -> Int { (bytes + 999_999) / 1_000_000 }

extension HubFailure {
  init(_ rejection: NetworkSettingRejection) {
    self = .invalidSetting(name: rejection.name, value: rejection.value, wanted: rejection.wanted)
  }
}
