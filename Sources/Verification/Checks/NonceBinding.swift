import ModelGraph
import Receipts

/// Whoever chose the randomness is named, and it was not chosen by the node against the caller's wish.
enum NonceBindingCheck: Check {
  static let name = CheckName.nonceBinding

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let nonce = statement.nonce
    let parameters = statement.parameters
    if nonce.source == .none && parameters.seed == nil && parameters.temperatureMicros > 0 {
      return .fail(.randomnessUnbound(temperatureMicros: parameters.temperatureMicros))
    }
    if let seed = parameters.seed, nonce.source == .node { return .fail(.nodeNonceBesideSeed(seed: seed)) }
    if let sent = evidence.options.expected.nonce, nonce.source != .client || sent != nonce.value {
      return .fail(.nonceNotExpected(stated: nonce.value, sent: sent))
    }
    return .pass(Randomness(statement).description)
  }
}

/// Who chose what was random.
enum Randomness: CustomStringConvertible {
  case nothing, client, seed, node

  init(_ statement: Statement) {
    if statement.parameters.temperatureMicros == 0 {
      self = .nothing
    } else {
      switch statement.nonce.source {
      case .client: self = .client
      case .none: self = .seed
      case .node: self = .node
      }
    }
  }

  /// nil when a statement is about something that is never random.
  init?(_ claim: Claim) {
    guard case .answer(let statement) = claim else { return nil }
    self.init(statement)
  }

  var description: String {
    switch self {
    case .nothing: "nothing was random: the temperature is 0"
    case .client: "the client chose the randomness with its nonce; the node could not"
    case .seed: "the client chose the randomness with its seed; the node could not"
    case .node: "the node chose the randomness, and may have tried several; send a nonce to choose it yourself"
    }
  }
}
