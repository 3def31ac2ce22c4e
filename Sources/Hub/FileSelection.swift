/// The files of a repository that a model is made of.
public enum FileSelection: Equatable, Sendable {
  /// A Hugging Face directory. `weights` is the one safetensors file, or the index that lists the shards.
  case directory(texts: [RemoteFile], weights: RemoteFile)
  case gguf(RemoteFile)

  static let index = "model.safetensors.index.json"
  static let single = "model.safetensors"
  static let required = ["config.json", "tokenizer.json"]
  /// Taken when they are there. What says how an encoder pools its vectors is among them.
  static let optional = [
    "generation_config.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json",
    "modules.json", "sentence_bert_config.json", "1_Pooling/config.json",
  ]

  /// - Parameter file: a file's path or name, or a quantisation; nil to take the safetensors, or the only GGUF.
  /// - Throws: ``HubRejection`` that lists what could have been meant.
  public static func choose(
    _ listing: RepositoryListing, repository: String, file: String?
  ) throws(HubRejection) -> FileSelection {
    let ggufs = listing.files.filter { isGGUF($0.path) }
    if let file { return .gguf(try gguf(file, among: ggufs, repository: repository)) }

    let weights = listing.file(single) ?? listing.file(index)
    guard let weights else {
      // Projectors and importance matrices are no models.
      let models = ggufs.filter { isModel($0) }
      guard let only = models.first else {
        let weightFormats = [".bin", ".pt", ".pth", ".onnx", ".h5", ".msgpack", ".safetensors", ".npz", ".mlmodel"]
        let found = listing.files.map(\.path).filter { path in weightFormats.contains { path.hasSuffix($0) } }
        throw .nothingUsable(repository: repository, found: Array(found.prefix(5)))
      }
      guard models.count == 1 else { throw .chooseFile(repository: repository, candidates: models.map(\.path)) }
      return .gguf(try whole(only))
    }
    var texts: [RemoteFile] = []
    for name in required {
      guard let file = listing.file(name) else {
        let hint =
          name == "tokenizer.json"
          ? "load its tokenizer once with transformers, save_pretrained it, and import the folder"
          : "look for a repository in the transformers format"
        throw .missingFile(name, repository: repository, hint: hint)
      }
      texts.append(file)
    }
    texts += optional.compactMap { listing.file($0) }
    return .directory(texts: texts, weights: weights)
  }

  private static func gguf(
    _ wanted: String, among ggufs: [RemoteFile], repository: String
  ) throws(HubRejection) -> RemoteFile {
    if let file = ggufs.first(where: { $0.path.utf8.elementsEqual(wanted.utf8) }) { return try whole(file) }
    var found = ggufs.filter { $0.name.lowercased() == wanted.lowercased() }
    if found.isEmpty { found = ggufs.filter { isModel($0) && hasQuantisation(stem($0.name), wanted) } }
    guard let file = found.first else {
      throw .noMatch(wanted, repository: repository, candidates: ggufs.map(\.path))
    }
    // All parts of a split model fit, and none of them is a model.
    if found.allSatisfy({ isPart($0.name) }) { throw .splitFile(file.path) }
    guard found.count == 1 else { throw .ambiguousFile(wanted, candidates: found.map(\.path)) }
    return file
  }

  private static func whole(_ file: RemoteFile) throws(HubRejection) -> RemoteFile {
    if isPart(file.name) { throw .splitFile(file.path) }
    return file
  }

  private static func isGGUF(_ path: String) -> Bool { path.lowercased().hasSuffix(".gguf") }

  private static func isModel(_ file: RemoteFile) -> Bool {
    !["mmproj", "imatrix"].contains { file.name.lowercased().contains($0) }
  }

  private static func stem(_ name: String) -> String { isGGUF(name) ? String(name.dropLast(5)) : name }

  /// `…-00001-of-00003.gguf`
  private static func isPart(_ name: String) -> Bool { stem(name).firstMatch(of: /-[0-9]{5}-of-[0-9]{5}$/) != nil }

  /// Whether a word of a file's name is the quantisation: `Q4_K` is in `model-Q4_K.gguf` and in
  /// `model.q4_k.gguf` but not in `model-Q4_K_M.gguf`.
  static func hasQuantisation(_ stem: String, _ wanted: String) -> Bool {
    let (text, word) = (Array(stem.lowercased().utf8), Array(wanted.lowercased().utf8))
    guard !word.isEmpty, word.count <= text.count else { return false }
    for start in 0...(text.count - word.count) where text[start..<start + word.count].elementsEqual(word) {
      let before = start == 0 ? nil : text[start - 1]
      let after = start + word.count == text.count ? nil : text[start + word.count]
      if before.map({ [0x2D, 0x2E, 0x5F].contains($0) }) ?? true, after.map({ [0x2D, 0x2E].contains($0) }) ?? true {
        return true
      }
    }
    return false
  }

  /// The quantisation in a GGUF's name; nil where none is known.
  static func quantisation(of name: String) -> String? {
    let pattern = /(?i)(?:^|[-._])((?:UD-)?(?:I?Q[1-8](?:_[0-9A-Z]+)*|TQ[12]_0|BF16|F16|F32|MXFP4(?:_MOE)?))(?=$|[-.])/
    return stem(name).matches(of: pattern).last.map { String($0.output.1) }
  }

  /// The shortest text that a person would write for a file.
  static func shortest(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return quantisation(of: name) ?? path
  }

  /// A name for the store in the letters that one may have: the repository's name, and for a GGUF its
  /// quantisation as the variant.
  public func defaultName(for reference: HubReference) -> String {
    let name = FileSelection.cleaned(reference.name, bytesMax: 128)
    switch self {
    case .directory: return name
    case .gguf(let file):
      var base = name
      if base.hasSuffix("-gguf") { base.removeLast(5) }
      let variant = FileSelection.quantisation(of: file.name) ?? FileSelection.stem(file.name)
      return base + ":" + FileSelection.cleaned(variant, bytesMax: 64)
    }
  }

  private static func cleaned(_ text: String, bytesMax: Int) -> String {
    let allowed = text.lowercased().utf8.map { b in
      (0x61...0x7A).contains(b) || (0x30...0x39).contains(b) || [0x2D, 0x2E, 0x5F].contains(b) ? b : 0x2D
    }
    let start = allowed.drop { [0x2D, 0x2E, 0x5F].contains($0) }
    return start.isEmpty ? "model" : String(decoding: start.prefix(bytesMax), as: UTF8.self)
  }
}
