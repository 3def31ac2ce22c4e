import Foundation
package import NIOHTTP1

extension HubClient {
  /// What an answer that is not the one hoped for means.
  enum Verdict {
    /// Worth another attempt, after so many seconds if the server said so; the failure if none is left.
    case retry(after: Int?, HubFailure)
    case refused(HubFailure)
  }

  /// - Parameter file: the file that was asked for; nil when it was the repository.
  func verdict(on answer: Answer, repository: String, revision: String, file: String?) -> Verdict {
    let host = URL(string: answer.url).flatMap { HubSettings.Origin($0) }?.address ?? answer.url
    let code = answer.headers.first(name: "X-Error-Code") ?? ""
    let endpoint = settings.endpoint.description
    let isAuthorised = settings.token != nil
    switch answer.status {
    case 429:
      let seconds = HubClient.secondsToWait(answer.headers)
      return .retry(after: seconds, .tooManyRequests(host: host, seconds: seconds))
    case 408, 500...599:
      return .retry(
        after: HubClient.secondsToWait(answer.headers), .serverError(host: host, status: answer.status))
    case 401, 403:
      // A signed address of another host that has expired: the hub makes a new one.
      guard answer.isFromHub else { return .retry(after: nil, refusal(answer)) }
      if code == "GatedRepo" {
        return .refused(.gated(repository, endpoint: endpoint, isAuthorised: isAuthorised))
      }
      // To those it does not know the hub says 401 for what does not exist as well.
      if answer.status == 401 {
        return .refused(
          isAuthorised && code != "RepoNotFound"
            ? .tokenRefused(endpoint: endpoint) : .noSuchRepository(repository, isAuthorised: isAuthorised))
      }
      return .refused(refusal(answer))
    case 404:
      if code == "RevisionNotFound" { return .refused(.noSuchRevision(revision, repository: repository)) }
      if let file, code != "RepoNotFound" { return .refused(.noSuchFile(file, repository: repository)) }
      return .refused(.noSuchRepository(repository, isAuthorised: isAuthorised))
    default: return .refused(refusal(answer))
    }
  }

  private func refusal(_ answer: Answer) -> HubFailure {
    let message = answer.headers.first(name: "X-Error-Message") ?? ""
    let printable = message.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    // An address may carry a signature that is nobody else's business.
    let url = answer.url.split(separator: "?")[0]
    return .refused(
      status: answer.status, url: String(url.prefix(300)),
      message: String(String.UnicodeScalarView(printable).prefix(200)))
  }

  /// Retry-After in seconds (RFC 9110, 10.2.3), or the `t` of a RateLimit field (IETF draft, as the hub sends it).
  package static func secondsToWait(_ headers: HTTPHeaders) -> Int? {
    if let text = headers.first(name: "Retry-After"), let seconds = Int(text), seconds >= 0 { return seconds }
    for field in headers["RateLimit"] {
      for part in field.split(whereSeparator: { $0 == ";" || $0 == "," }) {
        let pair = part.trimmingCharacters(in: .whitespaces)
        if pair.hasPrefix("t="), let seconds = Int(pair.dropFirst(2)), seconds >= 0 { return seconds }
      }
    }
    return nil
  }
}
