import Digests
import Hub
import ModelFiles
import ModelGraph
import ModelSigning
import Synchronization

/// Judges the signature of a model that is pulled, as ``SignatureArguments`` does for one that is imported.
final class PulledSignatureJudge: Sendable {
  private let repository: String
  private let trusted: [TrustedSigner]
  private let signers: SignerArguments
  /// The signature that was given; nil to take the repository's.
  private let given: (path: String, bytes: [UInt8])?
  private let found = Mutex(ImportedSignature())

  /// - Parameter signaturePath: a file on this machine.
  init(_ repository: String, signaturePath: String?, _ signers: SignerArguments, _ settings: Settings) throws {
    self.repository = repository
    self.signers = signers
    trusted = try signers.trusted(settings)
    given = try signaturePath.map { path in
      (path, try FileSystem.contents(of: path, bytesMax: SignatureLimits.bundleBytesMax))
    }
  }

  /// What was found, once the pull is through.
  var outcome: ImportedSignature { found.withLock { $0 } }

  var policy: SignaturePolicy {
    SignaturePolicy(
      signatureName: given == nil ? ModelSigner.signatureName : nil,
      signatureBytesMax: SignatureLimits.bundleBytesMax, publicKeyName: ModelSigner.publicKeyName,
      publicKeyBytesMax: SignatureLimits.keyFileBytesMax, judge: { try self.judge($0) })
  }

  private func judge(_ pulled: PulledSignature?) throws -> SignaturePolicy.Check {
    let (path, bytes): (String, [UInt8])
    if let given {
      (path, bytes) = given
    } else if let pulled {
      (path, bytes) = ("\(repository)/\(pulled.path)", pulled.bytes)
    } else {
      set(try signers.unsigned(repository))
      return { _, _ in }
    }
    do {
      // A key beside the model that is no key is as good as none.
      let companion = pulled?.publicKey.flatMap { try? SigningPublicKey(pem: $0) }
      let check = try SignatureCheck(bytes, trusted: trusted, companion: companion)
      try signers.enforce(check.standing, path)
      return { files, lacks in
        do throws(SignatureRejection) {
          let result = try check.check(chosen: files.map { ($0.name, $0.sha256) }, lacks: lacks)
          self.set(ImportedSignature(outcome: .signed(result)))
        } catch {
          throw PulledSignatureJudge.refusal(path, error)
        }
      }
    } catch SignatureRejection.unsupported(let kind) {
      set(try signers.uncheckable(kind, path))
      return { _, _ in }
    } catch let rejection as SignatureRejection {
      throw PulledSignatureJudge.refusal(path, rejection)
    }
  }

  private func set(_ outcome: ImportedSignature) { found.withLock { $0 = outcome } }

  private static func refusal(_ path: String, _ rejection: SignatureRejection) -> CommandFailure {
    CommandFailure(
      "the signature \(path) refuses this model: \(rejection)",
      hint: "the files were changed after they were signed, or signed anew by someone else; ask their publisher")
  }
}
