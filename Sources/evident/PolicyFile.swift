import ModelFiles
import Transparency

/// A trust policy in a file.
enum PolicyFile {
  static func read(_ path: String) throws -> TrustPolicy {
    do { return try TrustPolicy(parsing: try FileSystem.contents(of: path, bytesMax: TrustPolicy.bytesMax)) } catch let
      failure as FileFailure
    {
      throw CommandFailure("the policy cannot be read: \(failure)", hint: failure.remedy)
    } catch let rejection as PolicyRejection {
      throw CommandFailure("\(path) is not a policy: \(rejection)", hint: "its form is C2SP's tlog-policy")
    }
  }
}
