import Crypto
import ModelFiles
import Transparency

/// A secret key of the public log or of a witness in a file of mode 0600, one line: `PRIVATE+KEY+name+keyID+key`.
///
/// Trust: whoever can read the file can sign in that name, and nothing else.
enum NoteKeyFile {
  private static let bytesMax = 4096

  /// The witness key in `path`, made first when the file does not exist.
  ///
  /// - Parameter name: of the key; needed when there is none yet, and otherwise the one that it must have.
  static func cosigner(path: String, name: String?) throws -> CosignatureSigner {
    let text = try loadOrCreate(path: path) {
      guard let name else {
        throw CommandFailure("there is no key \(path) yet", hint: "give --name to make one, such as witness.example/w1")
      }
      do {
        return try CosignatureSigner.secretKeyText(
          name: ByteText(name), seed: Array(Curve25519.Signing.PrivateKey().rawRepresentation))
      } catch { throw CommandFailure("\"\(name)\" cannot be a key's name: \(error)") }
    }
    let signer: CosignatureSigner
    do { signer = try CosignatureSigner(parsing: text) } catch {
      throw CommandFailure(
        "\(path) is not a witness key: \(error)",
        hint: "restore the file, or move it away together with the folder's records and begin with a new key")
    }
    if let name, signer.verifierKey.name != ByteText(name) {
      throw CommandFailure(
        "the key in \(path) is called \(signer.verifierKey.name), not \(name)",
        hint: "leave out --name, or choose another --folder for another key")
    }
    return signer
  }

  /// The file's line, made first when it does not exist.
  private static func loadOrCreate(path: String, _ make: () throws -> String) throws -> ArraySlice<UInt8> {
    do {
      if try SecretFile.read(path, bytesMax: bytesMax) == nil {
        try SecretFile.create(path, Array((try make() + "\n").utf8))
      }
      guard let bytes = try SecretFile.read(path, bytesMax: bytesMax) else {
        throw CommandFailure("the key \(path) is gone again", hint: "check who else uses that folder")
      }
      return bytes.last == 0x0A ? bytes.dropLast() : bytes[...]
    } catch let failure as SecretFile.Failure {
      switch failure {
      case .system(let operation, let reason):
        throw CommandFailure(
          "the key \(path) cannot be used: \(operation): \(reason)",
          hint: "check the disk and the folder's permissions, or choose another --folder")
      case .exposed(let mode):
        throw CommandFailure(
          "the key \(path) can be read by others (mode \(mode))", hint: "run: chmod 600 \(path)")
      case .tooLong: throw CommandFailure("\(path) is no key: it is too long", hint: "move it away")
      }
    }
  }
}
