public import Digests
import Transparency

/// Something that a log, or whoever signs in one's name, must not do, with what shows it.
public struct MonitorAlarm: Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// Two checkpoints of one log of which neither is the beginning of the other.
    case fork
    /// The log has shown more entries before.
    case rollback
    /// The checkpoint is not one of a log of the policy, or of another log than before.
    case wrongSignature
    /// The policy's witnesses have not cosigned what is published.
    case quorum
    /// What is served is not what the checkpoint says.
    case damaged
    /// An entry that no log of statements takes.
    case badEntry
    /// An entry that names the own node's key, and that is not among its receipts.
    case foreignEntry
    /// A receipt that was promised to be in the log by now, and is not.
    case brokenPromise
  }

  public let kind: Kind
  /// Where it was seen.
  public let place: String
  /// One line.
  public let message: String
  /// What shows it, by name: checkpoints as they were served, an entry, a receipt.
  public let evidence: [Evidence]

  public struct Evidence: Sendable, Equatable {
    public let name: String
    public let bytes: [UInt8]

    /// Text as it is, other bytes in base64.
    public var json: JSON {
      String(validating: bytes, as: UTF8.self).map { .string($0) } ?? ["base64": .string(Base64.string(bytes))]
    }
  }

  init(_ kind: Kind, _ place: String, _ message: String, _ evidence: [(String, [UInt8])] = []) {
    self.kind = kind
    self.place = place
    self.message = message
    self.evidence = evidence.map { Evidence(name: $0.0, bytes: $0.1) }
  }

  /// The same alarm has the same one.
  public var id: String {
    var content = Array((kind.rawValue + place).utf8)
    for item in evidence { content += [0] + Array(item.name.utf8) + [0] + item.bytes }
    return Digest<MonitorAlarm>(of: content).hex
  }

  /// Without the evidence.
  public var json: JSON {
    ["alarm": .string(kind.rawValue), "log": .string(place), "message": .string(message)]
  }

  /// Everything, for a file that can be handed on.
  public var evidenceJSON: JSON {
    var object = JSONObject()
    for item in evidence { object[item.name] = item.json }
    return [
      "alarm": .string(kind.rawValue), "log": .string(place), "message": .string(message), "evidence": .object(object),
    ]
  }

  /// The same with one more piece of evidence, and more to say.
  func with(_ name: String, _ bytes: [UInt8], _ more: String = "") -> MonitorAlarm {
    MonitorAlarm(kind, place, message + more, evidence.map { ($0.name, $0.bytes) } + [(name, bytes)])
  }

  /// Two checkpoints that exclude each other.
  ///
  /// - Parameter beginning: where their sizes differ, what shows it; without it, the message says that nothing does.
  static func fork(
    _ place: String, _ known: SignedCheckpoint, _ seen: SignedCheckpoint, at other: String,
    _ beginning: TreeBeginning? = nil
  ) -> MonitorAlarm {
    let (a, b) = (known.checkpoint, seen.checkpoint)
    let alarm = MonitorAlarm(
      .fork, place,
      "\(a.origin) has two histories: size \(a.size) with root \(a.root), and at \(other) size \(b.size) with root "
        + "\(b.root), which does not continue it",
      [("known", known.bytes), ("seen", seen.bytes)])
    if let beginning {
      let (old, new) = (beginning.proof.oldSize, beginning.proof.newSize)
      return alarm.with("beginning", beginning.bytes, ": the first \(old) of its \(new) have root \(beginning.root)")
    }
    guard a.size != b.size, !a.isImpossible, !b.isImpossible else { return alarm }
    return MonitorAlarm(
      .fork, place,
      alarm.message + " by what \(place) serves; the checkpoints alone do not show that to others, and the tiles that "
        + "would are not served", [("known", known.bytes), ("seen", seen.bytes)])
  }
}
