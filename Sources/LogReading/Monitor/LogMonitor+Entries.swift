import Receipts
import Transparency

extension LogMonitor {
  /// An alarm about an entry, before the entry is known to be the log's.
  struct EntryAlarm {
    let index: UInt64
    let alarm: MonitorAlarm
  }

  func check(_ bytes: [UInt8], _ index: UInt64) async throws -> EntryAlarm? {
    guard rules.areEntriesStatements else { return nil }
    func alarm(_ kind: MonitorAlarm.Kind, _ message: String) -> EntryAlarm {
      EntryAlarm(index: index, alarm: MonitorAlarm(kind, place, message, [("entry", bytes)]))
    }
    let signed: SignedEntry
    do throws(EntryRejection) { signed = try SignedEntry.parse(bytes) } catch {
      let named = rules.nodeKey.map { key in bytes.contains(Array(key.hex.utf8)) } == true
      return alarm(.badEntry, "entry \(index)\(named ? ", which names the own key," : "") is none: \(error)")
    }
    guard let key = rules.nodeKey, signed.entry.names(key), !(try await rules.isOwn(signed)) else { return nil }
    return alarm(.foreignEntry, "entry \(index) names the node key \(key), and is not among its receipts")
  }

  /// The alarms with what shows others that the entries are in the log that signed.
  func proved(_ found: [EntryAlarm], in signed: SignedCheckpoint) async -> [MonitorAlarm] {
    var tiles = TilesOnDemand(reader)
    var alarms: [MonitorAlarm] = []
    for item in found {
      do {
        let proof = try await tiles.answer(in: signed.checkpoint.size) { try $0.inclusionProof(of: item.index) }
        let evidence = try InclusionEvidence(index: item.index, hashes: proof.hashes, signed: signed)
        alarms.append(item.alarm.with("proof", evidence.bytes))
      } catch {
        alarms.append(item.alarm.with("known", signed.bytes, "; its proof cannot be had: \(error)"))
      }
    }
    return alarms
  }
}

extension NodeStatement {
  /// Whether it was signed in the name of that node, or is about its key.
  func names(_ key: NodePublicKey) -> Bool {
    switch self {
    case .claim: signer == key
    case .succession(let succession): succession.from == key || succession.to == key
    case .revocation(let revocation): revocation.key == key || revocation.signer == key
    }
  }
}
