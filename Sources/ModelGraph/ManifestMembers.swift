import Digests

/// An object of a manifest that has every required member, perhaps some optional ones, and no other.
struct ManifestMembers {
  let object: JSONObject
  let path: String

  init(
    _ json: JSON, _ path: String, _ required: Set<String>, _ optional: Set<String> = []
  ) throws(ManifestRejection) {
    guard let object = json.object else { throw .wrongType(path.isEmpty ? "root" : path, expected: "an object") }
    for key in object.keys where !required.contains(key) && !optional.contains(key) {
      throw .unknown(ManifestMembers.join(path, key))
    }
    for key in required.sorted() where object[key] == nil { throw .missing(ManifestMembers.join(path, key)) }
    self.object = object
    self.path = path
  }

  static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func has(_ key: String) -> Bool { object[key] != nil }

  private func get(_ key: String) throws(ManifestRejection) -> JSON {
    guard let value = object[key] else { throw .missing(ManifestMembers.join(path, key)) }
    return value
  }
  func string(_ key: String) throws(ManifestRejection) -> String {
    guard let s = try get(key).string else { throw .wrongType(ManifestMembers.join(path, key), expected: "a string") }
    return s
  }
  func integer(_ key: String) throws(ManifestRejection) -> Int {
    guard let n = try get(key).integer else {
      throw .wrongType(ManifestMembers.join(path, key), expected: "an integer")
    }
    return n
  }
  func size(_ key: String) throws(ManifestRejection) -> Int {
    let n = try integer(key)
    guard n >= 0 else { throw .wrongType(ManifestMembers.join(path, key), expected: "a size in bytes") }
    return n
  }
  func bool(_ key: String) throws(ManifestRejection) -> Bool {
    guard let b = try get(key).bool else {
      throw .wrongType(ManifestMembers.join(path, key), expected: "true or false")
    }
    return b
  }
  func array(_ key: String) throws(ManifestRejection) -> [JSON] {
    guard let a = try get(key).array else { throw .wrongType(ManifestMembers.join(path, key), expected: "an array") }
    return a
  }
  func members(
    _ key: String, _ required: Set<String>, _ optional: Set<String> = []
  ) throws(ManifestRejection) -> ManifestMembers {
    try ManifestMembers(try get(key), ManifestMembers.join(path, key), required, optional)
  }
  func frequencies(_ key: String) throws(ManifestRejection) -> [UInt64] {
    var frequencies: [UInt64] = []
    for (i, item) in try array(key).enumerated() {
      guard let text = item.string, let b = Hex.bytes(text), b.count == 8 else {
        throw .wrongType("\(ManifestMembers.join(path, key))[\(i)]", expected: "16 lower-case hex digits")
      }
      frequencies.append(b.reduce(0) { $0 << 8 | UInt64($1) })
    }
    return frequencies
  }
  func blob(_ key: String) throws(ManifestRejection) -> ModelManifest.Blob {
    let m = try members(key, ["bytes", "digest"])
    guard let digest = Digest<ModelManifest.Blob>(try m.string("digest")) else {
      throw .wrongType(ManifestMembers.join(m.path, "digest"), expected: "sha256:<64 hex digits>")
    }
    return ModelManifest.Blob(digest: digest, bytes: try m.size("bytes"))
  }

  // MARK: Optional members, which never state what their absence means

  func optionalInteger(_ key: String) throws(ManifestRejection) -> Int? { has(key) ? try integer(key) : nil }

  /// True, or absent for false.
  func flag(_ key: String) throws(ManifestRejection) -> Bool {
    guard has(key) else { return false }
    guard try bool(key) else { throw .statesDefault(ManifestMembers.join(path, key)) }
    return true
  }

  /// One of the names of an enumeration.
  func choice<T: RawRepresentable<String>>(_ key: String, as _: T.Type) throws(ManifestRejection) -> T? {
    guard has(key) else { return nil }
    let name = try string(key)
    guard let value = T(rawValue: name) else { throw .unsupported(ManifestMembers.join(path, key), found: name) }
    return value
  }

  /// A sorted array without repetition that is not empty.
  func integers(_ key: String) throws(ManifestRejection) -> Set<Int> {
    guard has(key) else { return [] }
    let place = ManifestMembers.join(path, key)
    var last: Int?
    var found: Set<Int> = []
    for (i, item) in try array(key).enumerated() {
      guard let n = item.integer else { throw .wrongType("\(place)[\(i)]", expected: "an integer") }
      if let last, n <= last { throw .notSorted("\(place)[\(i)]") }
      last = n
      found.insert(n)
    }
    if found.isEmpty { throw .statesDefault(place) }
    return found
  }

  /// Names of an enumeration: sorted by bytes, without repetition, not empty.
  func choices<T: RawRepresentable<String> & Hashable>(
    _ key: String, as _: T.Type
  ) throws(ManifestRejection) -> Set<T> {
    guard has(key) else { return [] }
    let place = ManifestMembers.join(path, key)
    var names: [String] = []
    var found: Set<T> = []
    for (i, item) in try array(key).enumerated() {
      guard let name = item.string else { throw .wrongType("\(place)[\(i)]", expected: "a string") }
      guard let value = T(rawValue: name) else { throw .unsupported("\(place)[\(i)]", found: name) }
      names.append(name)
      found.insert(value)
    }
    try ManifestMembers.requireSorted(names, place)
    if found.isEmpty { throw .statesDefault(place) }
    return found
  }

  static func requireSorted(_ names: [String], _ path: String) throws(ManifestRejection) {
    for i in names.indices.dropFirst() where !names[i - 1].utf8.lexicographicallyPrecedes(names[i].utf8) {
      throw .notSorted("\(path)[\(i)]")
    }
  }
}
