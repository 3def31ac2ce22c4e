package import Digests

/// JSON that can be damaged: members keep their order and may occur twice.
package indirect enum Tree {
  case leaf(JSON)
  case array([Tree])
  case object([(key: String, value: Tree)])

  package init(_ json: JSON) {
    switch json {
    case .array(let items): self = .array(items.map(Tree.init))
    case .object(let object): self = .object(object.members.map { ($0.key, Tree($0.value)) })
    default: self = .leaf(json)
    }
  }

  package enum Step: Equatable {
    case member(String)
    case element(Int)
  }

  /// Every place below the root, containers before their contents. Of each array only the first element
  /// is walked into: the others are of the same kind.
  package var places: [[Step]] {
    switch self {
    case .leaf: []
    case .array(let items):
      items.first.map { [[.element(0)]] + $0.places.map { [.element(0)] + $0 } } ?? []
    case .object(let members):
      members.flatMap { member in [[.member(member.key)]] + member.value.places.map { [.member(member.key)] + $0 } }
    }
  }

  /// `predicate.parameters.stop[]`: the name of a place in the manifest.
  package static func name(_ place: [Step]) -> String {
    place.reduce("") { path, step in
      switch step {
      case .member(let key): path.isEmpty ? key : "\(path).\(key)"
      case .element: "\(path)[]"
      }
    }
  }

  /// `predicate.parameters.stop[0]`: how a rejection names it.
  package static func path(_ place: [Step]) -> String {
    place.reduce("") { path, step in
      switch step {
      case .member(let key): path.isEmpty ? key : "\(path).\(key)"
      case .element(let i): "\(path)[\(i)]"
      }
    }
  }

  package subscript(_ place: ArraySlice<Step>) -> Tree? {
    guard let step = place.first else { return self }
    switch (step, self) {
    case (.member(let key), .object(let members)):
      return members.first { $0.key == key }?.value[place.dropFirst()]
    case (.element(let i), .array(let items)) where items.indices.contains(i): return items[i][place.dropFirst()]
    default: return nil
    }
  }

  package enum Damage {
    case set(JSON)
    case remove
    case duplicate
    /// A member that nobody knows.
    case add(String)
  }

  /// The tree with one place damaged.
  package func damaged(_ place: ArraySlice<Step>, _ damage: Damage) -> Tree {
    guard let step = place.first else {
      switch (damage, self) {
      case (.set(let value), _): return Tree(value)
      case (.add(let key), .object(let members)): return .object(members + [(key, .leaf(1))])
      default: preconditionFailure("the root cannot be removed")
      }
    }
    let isHere = place.count == 1
    switch (step, self) {
    case (.member(let key), .object(var members)):
      let i = members.firstIndex { $0.key == key }!
      switch damage {
      case .remove where isHere: members.remove(at: i)
      case .duplicate where isHere: members.insert(members[i], at: i + 1)
      default: members[i].value = members[i].value.damaged(place.dropFirst(), damage)
      }
      return .object(members)
    case (.element(let i), .array(var items)):
      switch damage {
      case .remove where isHere: items.remove(at: i)
      case .duplicate where isHere: items.insert(items[i], at: i)
      default: items[i] = items[i].damaged(place.dropFirst(), damage)
      }
      return .array(items)
    default: preconditionFailure("no such place")
    }
  }

  /// Compact, in order: the canonical form as long as nothing was damaged in a canonical tree.
  package var text: String {
    switch self {
    case .leaf(let value): value.text()
    case .array(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\(JSON.string($0.key).text()):\($0.value.text)" }.joined(separator: ",") + "}"
    }
  }

  /// The tree with members in canonical order.
  package static func canonical(_ json: JSON) throws -> Tree { Tree(try JSON.parse(json.canonicalBytes())) }
}
