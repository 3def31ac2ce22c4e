import Digests
public import ModelGraph

/// Why bytes are not a pack.
public enum PackRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case notAPack
  case tooShort(bytes: Int)
  case entries(Int)
  case reserved
  case entryOutside(Int)
  case entryMisplaced(Int, offset: UInt64, expected: Int)
  case gapNotZero(before: Int)
  case trailingBytes(Int)
  case entryCount(found: Int, expected: Int)
  case digestDiffers(entry: Int)

  public var description: String {
    switch self {
    case .notAPack: "this is not a model pack: it does not start with EVPACK1"
    case .tooShort(let n): "the pack ends in its table, after \(n) bytes; it is not complete: copy or fetch it again"
    case .entries(let n): "the pack claims \(n) entries; a model has 3 or 4"
    case .reserved: "the pack's reserved field is not zero; a newer version may have written it"
    case .entryOutside(let i):
      "entry \(i) of the pack does not lie within the file; it is not complete: copy or fetch it again"
    case .entryMisplaced(let i, let offset, let expected):
      "entry \(i) of the pack starts at \(offset); it must start at \(expected)"
    case .gapNotZero(let i): "the gap before entry \(i) of the pack is not zero"
    case .trailingBytes(let n): "\(n) bytes follow the pack's last entry"
    case .entryCount(let found, let expected):
      "the pack has \(found) entries; its manifest makes it \(expected)"
    case .digestDiffers(let i): "entry \(i) of the pack states another digest than the manifest"
    }
  }
}

/// A whole model in one file.
///
/// Source: docs/spec/model.md, "Pack".
public struct Pack: Sendable {
  static let magic = Array("EVPACK1\n".utf8)
  static let entryBytes = 48

  /// Manifest, weights, tokenizer and, where there is one, chat template.
  let entries: [(digest: [UInt8], bytes: ModelBytes)]

  /// Checks the layout; digests are checked by ``load(checkingDigests:)``.
  public init(_ bytes: ModelBytes) throws(PackRejection) {
    let b = bytes.buffer
    guard b.prefix(8).elementsEqual(Pack.magic) else { throw .notAPack }
    guard b.count >= 16 else { throw .tooShort(bytes: b.count) }
    let count = Int(UInt32(littleEndian: b.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    guard (3...4).contains(count) else { throw .entries(count) }
    guard b[12..<16].allSatisfy({ $0 == 0 }) else { throw .reserved }
    var end = 16 + Pack.entryBytes * count
    guard b.count >= end else { throw .tooShort(bytes: b.count) }
    var entries: [(digest: [UInt8], bytes: ModelBytes)] = []
    for i in 0..<count {
      let at = 16 + Pack.entryBytes * i
      let offset = UInt64(littleEndian: b.loadUnaligned(fromByteOffset: at + 32, as: UInt64.self))
      let length = UInt64(littleEndian: b.loadUnaligned(fromByteOffset: at + 40, as: UInt64.self))
      let start = TensorEntry.paddedTo64(end)
      guard offset == UInt64(start) else { throw .entryMisplaced(i, offset: offset, expected: start) }
      guard let size = Int(exactly: length), let slice = bytes.slice(offset: start, count: size) else {
        throw .entryOutside(i)
      }
      guard b[end..<start].allSatisfy({ $0 == 0 }) else { throw .gapNotZero(before: i) }
      entries.append((Array(b[at..<(at + 32)]), slice))
      end = start + size
    }
    guard end == b.count else { throw .trailingBytes(b.count - end) }
    self.entries = entries
  }

  /// The model in the pack, which keeps using the pack's memory.
  ///
  /// - Throws: ``PackRejection``, ``LoadRejection``.
  public func load(checkingDigests: Bool = true, checkingWeights: Bool = true) throws -> LoadedModel {
    guard entries[0].bytes.count <= ModelManifest.bytesMax else {
      throw LoadRejection.manifest(.tooLong(bytes: entries[0].bytes.count))
    }
    let model = try LoadedModel(
      manifestBytes: entries[0].bytes.array, digest: Digest(bytes: entries[0].digest),
      checkingDigests: checkingDigests, checkingWeights: checkingWeights
    ) { manifest in
      let blobs = manifest.blobs.all
      guard blobs.count == entries.count - 1 else {
        throw PackRejection.entryCount(found: entries.count, expected: blobs.count + 1)
      }
      for (i, blob) in blobs.enumerated() where entries[i + 1].digest != blob.digest.bytes {
        throw PackRejection.digestDiffers(entry: i + 1)
      }
      return LoadedModel.Parts(
        weights: entries[1].bytes, tokenizer: entries[2].bytes,
        chatTemplate: entries.count > 3 ? entries[3].bytes : nil)
    }
    return model
  }

  /// Opens a pack file.
  ///
  /// - Throws: ``FileFailure``, ``PackRejection``, ``LoadRejection``.
  public static func load(path: String, checkingDigests: Bool = true) throws -> LoadedModel {
    try Pack(MappedFile(path: path).bytes).load(checkingDigests: checkingDigests)
  }
}
