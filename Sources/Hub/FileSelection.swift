/// The files of a repository that a model is made of.
public enum FileSelection: Equatable, Sendable {
  /// A Hugging Face directory. `weights` is the one safetensors file, or the index that lists the shards.
  case directory(texts: [RemoteFile], weights: RemoteFile)
  /// A GGUF file, or all parts of a split one in order.
  case gguf([RemoteFile])

  static let index = "model.safetensors.index.json"
  static let single = "model.safetensors"
  static let required = ["config.json", "tokenizer.json"]
  /// Taken when they are there. What says how an encoder pools its vectors is among them.
  static let optional = [
    "generation_config.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json",
    "modules.json", "sentence_bert_config.json", "1_Pooling/config.json",
  ]

  /// What is known of the files before an index has been read.
  var files: [RemoteFile] {
    switch self {
    case .gguf(let parts): parts
    case .directory(let texts, let weights): texts + [weights]
    }
  }

  /// Whether a file of that name is part of a directory that has it.
  static func isRead(_ name: String) -> Bool { (required + optional + [index, single]).contains(name) }

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
      let models = try sets(ggufs.filter { isModel($0) })
      guard let only = models.first else {
        let weightFormats = [".bin", ".pt", ".pth", ".onnx", ".h5", ".msgpack", ".safetensors", ".npz", ".mlmodel"]
        let found = listing.files.map(\.path).filter { path in weightFormats.contains { path.hasSuffix($0) } }
        throw .nothingUsable(repository: repository, found: Array(found.prefix(5)))
      }
      guard models.count == 1 else { throw .chooseFile(repository: repository, candidates: models.map { $0[0].path }) }
      return .gguf(only)
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
  ) throws(HubRejection) -> [RemoteFile] {
    let models = try sets(ggufs)
    // Any part of a split model stands for all of them.
    if let model = models.first(where: { $0.contains { $0.path.utf8.elementsEqual(wanted.utf8) } }) { return model }
    var found = models.filter { $0.contains { $0.name.lowercased() == wanted.lowercased() } }
    if found.isEmpty { found = models.filter { isModel($0[0]) && hasQuantisation(stem($0[0].name), wanted) } }
    guard let model = found.first else {
      throw .noMatch(wanted, repository: repository, candidates: models.map { $0[0].path })
    }
    guard found.count == 1 else { throw .ambiguousFile(wanted, candidates: found.map { $0[0].path }) }
    return model
  }

  /// Files, and the parts of split ones together.
  ///
  /// - Throws: ``HubRejection/missingPart(of:number:)``.
  private static func sets(_ files: [RemoteFile]) throws(HubRejection) -> [[RemoteFile]] {
    var sets: [[RemoteFile]] = []
    var places: [String: Int] = [:]
    for file in files {
      guard let part = part(file.path) else {
        sets.append([file])
        continue
      }
      let key = "\(part.prefix) of \(part.count)"
      if let i = places[key] {
        sets[i].append(file)
      } else {
        places[key] = sets.count
        sets.append([file])
      }
    }
    for set in sets {
      guard let count = part(set[0].path)?.count else { continue }
      let numbers = set.compactMap { part($0.path)?.number }.sorted()
      if let missing = (1...count).first(where: { !numbers.contains($0) }) {
        throw .missingPart(of: set[0].path, number: missing)
      }
    }
    // Paths are sorted, and the numbers have as many digits as each other.
    return sets
  }

  /// `…-00001-of-00003.gguf`
  private static func part(_ path: String) -> (prefix: String, number: Int, count: Int)? {
    guard let match = path.wholeMatch(of: /(.+)-([0-9]{5})-of-([0-9]{5})\.gguf/), let number = Int(match.2),
      let count = Int(match.3), (1...9999).contains(count), (1...count).contains(number)
    else { return nil }
    return (String(match.1), number, count)
  }

  private static func isGGUF(_ path: String) -> Bool { path.lowercased().hasSuffix(".gguf") }

  private static func isModel(_ file: RemoteFile) -> Bool {
    !["mmproj", "imatrix"].contains { file.name.lowercased().contains($0) }
  }

  /// A file's name without its ending and without the numbers of a part.
  private static func stem(_ name: String) -> String {
    part(name)?.prefix ?? (isGGUF(name) ? String(name.dropLast(5)) : name)
  }

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
    case .gguf(let files):
      var base = name
      if base.hasSuffix("-gguf") { base.removeLast(5) }
      let file = files.first?.name ?? ""
      let variant = FileSelection.quantisation(of: file) ?? FileSelection.stem(file)
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
