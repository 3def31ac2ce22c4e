import Digests
import Tampering

/// Every way to tamper with one document, and what must follow from each.
struct TamperTable {
  struct Tamper {
    let what: String
    let payload: String
    /// In order; empty for what only the node's word supports.
    let failures: [String]
  }

  let tree: Tree
  let manifest: [String: TamperManifest.Entry]
  let part: String
  let check: String
  /// The path that is reported when a member is missing, from its path and name.
  var missing: (_ path: String, _ name: String) -> String = { path, _ in path }

  /// Every mutation of the manifest; every place removed and duplicated; a stranger in every object.
  var all: [Tamper] {
    var out: [Tamper] = []
    func add(_ what: String, _ place: [Tree.Step], _ damage: Tree.Damage, _ failures: [String]) {
      out.append(Tamper(what: what, payload: tree.damaged(place[...], damage).text, failures: failures))
    }
    for place in tree.places {
      let (name, path) = (Tree.name(place), Tree.path(place))
      let isModel = name.hasPrefix("model.")
      let entry = manifest[name]
      let wrongModel = ["modelManifest.modelDigestMismatch"]
      for mutation in entry?.mutations ?? [] {
        add("\(name) = \(mutation.value.text())", place, .set(mutation.value), mutation.failures)
      }
      if isModel { add("\(name) = \"x\"", place, .set("x"), wrongModel) }
      let key: String? = if case .member(let key) = place.last { key } else { nil }
      add(
        "without \(name)", place, .remove,
        isModel ? wrongModel : entry?.removed ?? ["\(check): in the \(part), \(missing(path, name)) is missing"])
      if let key {
        let damaged = tree.damaged(place[...], .duplicate).text
        // The offset is that of the second occurrence.
        let offset = secondOffset(of: key, at: place)
        let failure =
          "\(check): the \(part) cannot be read: duplicate key \"\(key)\" in a JSON object at byte \(offset)"
        out.append(Tamper(what: "\(name) twice", payload: damaged, failures: [failure]))
      } else {
        add("\(name) twice", place, .duplicate, isModel ? wrongModel : entry?.duplicated ?? [])
      }
    }
    for place in [[]] + tree.places {
      guard case .object = tree[place[...]] else { continue }
      let path = (Tree.path(place).isEmpty ? "" : Tree.path(place) + ".") + "extra"
      let isModel = Tree.path(place).hasPrefix("model")
      add(
        "\(path) added", place, .add("extra"),
        isModel
          ? ["modelManifest.modelDigestMismatch"]
          : ["\(check): in the \(part), \(path) is not a member that the specification knows"])
    }
    return out
  }

  private func secondOffset(of key: String, at place: [Tree.Step]) -> Int {
    let marker = "\u{1}"
    let marked = tree.damaged(place[...], .set(.string(marker))).text
    let at = marked.utf8.firstRange(of: Array(JSON.string(marker).text().utf8))!.lowerBound
    let start = marked.utf8.distance(from: marked.utf8.startIndex, to: at)
    return start + tree[place[...]]!.text.utf8.count + 1
  }
}
