package import Digests
import Foundation
import NIOCore
package import NIOHTTP1

/// What a revision of a repository holds.
public struct RepositoryListing: Sendable {
  /// The commit, in hex.
  public var commit: String
  /// Sorted by path.
  public var files: [RemoteFile]
  /// As the publisher names it; nil when the hub does not say.
  public var licence: String?

  package init(commit: String, files: [RemoteFile], licence: String? = nil) {
    self.commit = commit
    self.files = files
    self.licence = licence
  }

  static let answerBytesMax = 32 << 20
  static let filesMax = 100_000
  static let pagesMax = 1000

  public func file(_ path: String) -> RemoteFile? { files.first { $0.path.utf8.elementsEqual(path.utf8) } }

  /// The `sha` of `/api/models/<repository>/revision/<revision>` and the licence it states.
  package static func revision(_ json: JSON, url: String) throws(HubRejection) -> (commit: String, licence: String?) {
    guard let commit = json["sha"]?.string, isCommit(commit) else {
      throw .malformedAnswer(url: url, problem: "it has no commit (\"sha\")")
    }
    var licence = json["cardData"]?["license"]?.string
    if licence == nil || licence == "other", let name = json["cardData"]?["license_name"]?.string { licence = name }
    if licence == nil {
      let tag = json["tags"]?.array?.lazy.compactMap(\.string).first { $0.hasPrefix("license:") }
      licence = tag.map { String($0.dropFirst(8)) }
    }
    return (commit, licence.flatMap(Licence.cleaned))
  }

  static func isCommit(_ text: String) -> Bool { (40...64).contains(text.utf8.count) && Hex.bytes(text) != nil }

  /// One page of `/api/models/<repository>/tree/<commit>?recursive=true`. Files whose paths could leave a
  /// folder are not taken: no model needs them.
  package static func tree(_ json: JSON, url: String) throws(HubRejection) -> [RemoteFile] {
    guard let entries = json.array else { throw .malformedAnswer(url: url, problem: "it is not a list of files") }
    var files: [RemoteFile] = []
    for entry in entries where entry["type"]?.string == "file" {
      guard let path = entry["path"]?.string, let bytes = entry["size"]?.integer,
        (0...RemoteFile.bytesMax).contains(bytes),
        let hex = entry["lfs"]?["oid"]?.string ?? entry["oid"]?.string,
        let identity = ContentIdentity(hex: hex.hasPrefix("sha256:") ? String(hex.dropFirst(7)) : hex)
      else { throw .malformedAnswer(url: url, problem: "a file lacks its path, size or digest") }
      if RemoteFile.isSafePath(path) { files.append(RemoteFile(path: path, bytes: bytes, identity: identity)) }
    }
    return files
  }

  /// The address of the next page in a Link header (RFC 8288); always at the hub itself.
  package static func nextPage(_ headers: HTTPHeaders, endpoint: HubSettings.Origin) -> String? {
    for field in headers["Link"] {
      for link in field.split(separator: ",") {
        guard let open = link.firstIndex(of: "<"), let close = link[open...].firstIndex(of: ">"),
          link[close...].replacing(" ", with: "").contains("rel=\"next\"")
        else { continue }
        // A mirror may name the hub that it mirrors.
        guard let url = URL(string: String(link[link.index(after: open)..<close])), url.path.hasPrefix("/"),
          var parts = URLComponents(url: url, resolvingAgainstBaseURL: true)
        else { continue }
        (parts.scheme, parts.host, parts.port, parts.user, parts.password) = (nil, nil, nil, nil, nil)
        return parts.string.map { endpoint.address + $0 }
      }
    }
    return nil
  }
}

extension HubClient {
  /// Lists a revision of a repository.
  ///
  /// - Throws: ``HubFailure``, ``HubRejection``, `CancellationError`.
  func listing(
    of reference: HubReference, retries: Int, report: @Sendable (PullEvent) -> Void
  ) async throws -> RepositoryListing {
    let models = "\(settings.endpoint)/api/models/\(reference.repository)"
    let (info, _) = try await json(
      "\(models)/revision/\(RemoteFile.escaped(reference.revision, keepingSlashes: false))", reference, retries, report)
    let (commit, licence) = try RepositoryListing.revision(info, url: models)
    var listing = RepositoryListing(commit: commit, files: [], licence: licence)
    var page: String? = "\(models)/tree/\(commit)?recursive=true"
    var pages = 0
    while let url = page {
      pages += 1
      let (json, headers) = try await json(url, reference, retries, report)
      listing.files += try RepositoryListing.tree(json, url: url)
      guard listing.files.count <= RepositoryListing.filesMax, pages <= RepositoryListing.pagesMax else {
        throw HubRejection.malformedAnswer(url: url, problem: "there is no end to the list of files")
      }
      page = RepositoryListing.nextPage(headers, endpoint: settings.endpoint)
    }
    listing.files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    return listing
  }

  /// A small JSON answer, with as many attempts as it takes.
  private func json(
    _ url: String, _ reference: HubReference, _ retries: Int, _ report: @Sendable (PullEvent) -> Void
  ) async throws -> (JSON, HTTPHeaders) {
    var backoff = Backoff(retriesMax: retries)
    while true {
      var seconds: Double?
      let failure: HubFailure
      do {
        let answer = try await get(url)
        if answer.status == 200 {
          let bytes = try await body(answer)
          do throws(JSONError) {
            return (try JSON.parse(bytes, bytesMax: RepositoryListing.answerBytesMax), answer.headers)
          } catch {
            throw HubRejection.malformedAnswer(url: url, problem: "\(error)")
          }
        }
        await answer.drain()
        switch verdict(on: answer, repository: reference.repository, revision: reference.revision, file: nil) {
        case .refused(let failure): throw failure
        case .retry(let after, let last): (seconds, failure) = (backoff.next(retryAfter: after), last)
        }
      } catch let transport as TransportFailure {
        (seconds, failure) = (transport.isFinal ? nil : backoff.next(), transport.failure)
      }
      guard let seconds else { throw failure }
      report(.retrying(reason: "\(failure)", seconds: seconds))
      try await Task.sleep(for: .seconds(seconds))
    }
  }

  private func body(_ answer: Answer) async throws -> [UInt8] {
    do {
      return Array(buffer: try await answer.body.collect(upTo: RepositoryListing.answerBytesMax))
    } catch is NIOTooManyBytesError {
      throw HubRejection.malformedAnswer(url: answer.url, problem: "it is too long")
    } catch {
      try Task.checkCancellation()
      throw TransportFailure(host: settings.endpoint.address, error, idleSecondsMax: settings.idleSecondsMax)
    }
  }
}
