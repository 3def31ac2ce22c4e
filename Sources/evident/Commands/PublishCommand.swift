import ArgumentParser
import Digests
import Foundation
import ModelFiles
import ModelGraph
import ModelSigning

struct PublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Writes a model into a folder that others can import, and signs it.",
    discussion: """
      The folder gets model.pack (the whole model), README.md, signer.pem (your
      public key) and model.sig, an OpenSSF model signature over all of them.
      Whoever has the folder checks it offline, with either of

        evident import FOLDER --signer YOUR_KEY.pem --require-signature
        python -m model_signing verify key FOLDER \\
          --signature FOLDER/model.sig --public_key YOUR_KEY.pem

      With --sign-only, a folder that you have, such as a Hugging Face model,
      gets a model.sig, and nothing else is touched.

      The signing key is made on first use. Give others its public half in a way
      that they trust: evident keys --model-signing > YOUR_KEY.pem
      """)

  @Argument(help: "A name, a digest or its beginning, or a .pack file.") var model: String?
  @Argument(
    help: ArgumentHelp("The folder to make; it must not exist, or be empty.", valueName: "folder"),
    completion: .directory)
  var folder: String?
  @Option(help: ArgumentHelp("Sign this folder as it is.", valueName: "folder"), completion: .directory)
  var signOnly: String?
  @Option(
    help: ArgumentHelp(
      "A private key on P-256, P-384 or P-521 in PEM (default: your own, made on first use).", valueName: "file"),
    completion: .file())
  var key: String?
  @Flag(help: "With --sign-only: symbolic links to files stand for the files.") var allowSymlinks = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if signOnly != nil {
      guard model == nil else { throw ValidationError("--sign-only takes no model: it signs the folder's files") }
    } else {
      guard model != nil, folder != nil else {
        throw ValidationError("give a model and a folder to make, or --sign-only and a folder that exists")
      }
      guard !allowSymlinks else { throw ValidationError("--allow-symlinks belongs to --sign-only") }
    }
  }

  func run() async throws {
    let settings = try await Settings()
    do {
      try await Interruption.cancelling {
        if let signOnly {
          try sign(signOnly, settings)
        } else if let model, let folder {
          try publish(model, folder, settings)
        }
      }
    } catch is CancellationError {
      Terminal.note("stopped; nothing was written")
      throw ExitCode(130)
    } catch let failure as FileFailure {
      throw CommandFailure(failure.description, hint: failure.remedy)
    }
  }

  private func signingKey(_ settings: Settings) throws -> SigningKeyFile {
    if let key { return try SigningKeyFile.load(path: key) }
    return try SigningKeyFile.loadOrCreate(path: settings.modelSigningKeyFile)
  }

  /// Everything is written and signed beside the folder-to-be, which then appears with all of it.
  private func publish(_ model: String, _ folder: String, _ settings: Settings) throws {
    let store = ModelStore(root: settings.modelsFolder)
    let loaded = try store.open(model, checkingDigests: false)
    let incoming = try IncomingFolder(for: folder)
    let key = try signingKey(settings)
    let name = FileSystem.name(of: folder)

    let writing = ProgressBar("writing")
    let total = loaded.image.weights.count + loaded.tokenizer.count
    var done = 0
    defer { writing.finish() }
    try Pack.write(loaded, to: incoming.path + "/" + ModelCard.packName) { bytes in
      done += bytes
      writing.update(done: done, total: total)
      try Task.checkCancellation()
    }
    writing.finish()
    let publicKey = key.key.publicKey
    let card = ModelCard(name: name, manifest: loaded.manifest, digest: loaded.digest, key: publicKey)
    try ModelSigner.write(Array(card.text.utf8), ModelCard.fileName, in: incoming.path)
    try ModelSigner.write(Array(publicKey.pem.utf8), ModelSigner.publicKeyName, in: incoming.path)
    try signFiles(in: incoming.path, name: name, key)
    try Task.checkCancellation()
    try incoming.publish()
    report(folder, key, digest: loaded.digest.description)
  }

  private func sign(_ folder: String, _ settings: Settings) throws {
    guard try FileSystem.kind(of: folder) == .directory else {
      throw CommandFailure("\(folder) is not a folder", hint: "give the folder that holds the model's files")
    }
    let signature = folder + "/" + ModelSigner.signatureName
    guard try FileSystem.kind(of: signature) == nil else {
      throw CommandFailure(
        "there is a signature already: \(signature)", hint: "to sign anew, remove it first")
    }
    let key = try signingKey(settings)
    // Of `.` too, which is no name.
    let name = URL(filePath: folder).standardizedFileURL.lastPathComponent
    try signFiles(in: folder, name: name, key)
    report(folder, key, digest: nil)
  }

  private func signFiles(in folder: String, name: String, _ key: SigningKeyFile) throws {
    let bar = ProgressBar("signing")
    defer { bar.finish() }
    let signature = try ModelSigner.sign(folder: folder, name: name, key: key.key, allowsSymlinks: allowSymlinks) {
      bar.update(done: $0, total: $1)
      try Task.checkCancellation()
    }
    try Task.checkCancellation()
    try ModelSigner.write(signature, ModelSigner.signatureName, in: folder)
  }

  private func report(_ folder: String, _ key: SigningKeyFile, digest: String?) {
    let signature = folder + "/" + ModelSigner.signatureName
    let fingerprint = key.key.publicKey.fingerprint
    if json {
      print(
        ([
          "folder": .string(folder), "signature": .string(signature), "digest": digest.map { .string($0) } ?? .null,
          "fingerprint": .string(fingerprint), "key": .string(key.path),
        ] as JSON).text())
      return
    }
    if let digest { print("\(folder)  \(digest)") } else { print(signature) }
    Terminal.note("signed with the key \(fingerprint) in \(key.path)")
    Terminal.note("others need its public half: evident keys --model-signing\(self.key.map { " --key \($0)" } ?? "")")
  }
}
