import ModelFiles
import Transparency

/// A trust policy in a file.
enum PolicyFile {
  /// - Parameter rejectedStatus: the exit status if there is a file and it is no policy.
  static func read(_ path: String, rejectedStatus: Int32? = nil) throws -> TrustPolicy {
    do { return try TrustPolicy(parsing: try FileSystem.contents(of: path, bytesMax: TrustPolicy.bytesMax)) } catch let
      failure as FileFailure
    {
      throw CommandFailure("the policy cannot be read: \(failure)", hint: failure.remedy)
    } catch let rejection as PolicyRejection {
      throw CommandFailure(
        "\(path) is not a policy: \(rejection)", hint: "its form is C2SP's tlog-policy; see: evident help policy",
        exitCode: rejectedStatus)
    }
  }

  /// The policy of a log itself, under which it can publish.
  static func log(_ path: String, key: NoteVerifierKey) throws -> TrustPolicy {
    let policy = try read(path)
    guard policy.logs.isEmpty || policy.logs.contains(where: { $0.key == key }) else {
      throw CommandFailure(
        "\(path) is a policy about other logs: it does not name this one", hint: "add the line: log \(key)")
    }
    var found: Set<ByteText> = []
    for witness in policy.witnesses {
      guard let url = witness.url?.string else { continue }
      guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
        throw CommandFailure(
          "the witness \(witness.name) of \(path) has the URL \(url)", hint: "write http:// or https:// before it")
      }
      found.insert(witness.name)
    }
    for group in policy.groups where group.members.count(where: found.contains) >= group.threshold {
      found.insert(group.name)
    }
    if case .member(let quorum) = policy.quorum, !found.contains(quorum) {
      let silent = policy.witnesses.filter { $0.url == nil }.map(\.name.description)
      throw CommandFailure(
        "under \(path) nothing could ever be published: too few witnesses have a URL for the quorum \(quorum)",
        hint: "add where to reach \(silent.joined(separator: ", ")): witness NAME KEY URL")
    }
    return policy
  }
}
