/// A model's signature as a repository has it. What it says is for others to judge.
public struct PulledSignature: Sendable, Equatable {
  /// In the repository.
  public var path: String
  public var bytes: [UInt8]
  /// The public key that lies beside it.
  public var publicKey: [UInt8]?
}

/// A file that a model is made from.
public struct PulledFile: Sendable, Equatable {
  /// Below the folder that the signature lies in.
  public var name: String
  /// Hex; nil as long as the file is not here and the hub does not state it.
  public var sha256: String?
}

/// How a pull has signatures judged.
public struct SignaturePolicy: Sendable {
  /// Refuses the files that a model is to be made from. Called before they are fetched, with the digests that the
  /// hub states, and again with those of what was read.
  ///
  /// - Parameter lacks: whether the repository lacks a file of that name which would be read if it were there.
  public typealias Check = @Sendable (_ files: [PulledFile], _ lacks: (String) -> Bool) throws -> Void

  /// The name of a folder's signature; nil where the judge has one that is not the repository's.
  public var signatureName: String?
  public var signatureBytesMax: Int
  /// The name of a public key beside it.
  public var publicKeyName: String
  public var publicKeyBytesMax: Int
  /// Refuses a signature, or that there is none.
  public var judge: @Sendable (PulledSignature?) throws -> Check

  public init(
    signatureName: String?, signatureBytesMax: Int, publicKeyName: String, publicKeyBytesMax: Int,
    judge: @escaping @Sendable (PulledSignature?) throws -> Check
  ) {
    self.signatureName = signatureName
    self.signatureBytesMax = signatureBytesMax
    self.publicKeyName = publicKeyName
    self.publicKeyBytesMax = publicKeyBytesMax
    self.judge = judge
  }
}
