/// Sizes that are enforced before anything is parsed or kept.
///
/// Source: docs/spec/signing.md, section 5.
public enum SignatureLimits {
  public static let bundleBytesMax = 32 << 20
  public static let depthMax = 16
  /// Files that a signature may list, and folders below the one that is signed.
  public static let filesMax = 32_768
  /// UTF-8 bytes of a file's path below the signed folder.
  public static let nameBytesMax = 1024
  /// Components of such a path.
  public static let componentsMax = 32
  public static let ignoredPathsMax = 256
  /// ECDSA signatures in DER are at most 139 bytes long for P-521.
  public static let signatureBytesMax = 256
  /// A PEM file with one key.
  public static let keyFileBytesMax = 16 << 10
}
