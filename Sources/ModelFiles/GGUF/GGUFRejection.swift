/// Why a file is not GGUF that we accept. Every case names the file.
public enum GGUFRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case notGGUF(file: String)
  case bigEndian(file: String)
  case unsupportedVersion(file: String, UInt32)
  case ends(file: String, offset: Int, wanted: Int)
  case tooMany(file: String, what: String, count: UInt64, countMax: Int)
  case string(file: String, what: String, offset: Int, problem: String)
  case unknownValueType(file: String, key: String, UInt32)
  case nestedTooDeeply(file: String, key: String, depthMax: Int)
  case badBool(file: String, key: String, UInt8)
  case duplicateKey(file: String, key: String)
  case missing(file: String, key: String)
  case wrongType(file: String, key: String, expected: String)
  case unsupportedValue(file: String, key: String, found: String, supported: String)
  case unknownKey(file: String, key: String)
  case unsupportedArchitecture(file: String, found: String, supported: [String])
  case badAlignment(file: String, found: String)
  case tensor(file: String, tensor: String, problem: String)
  case unsupportedTensorType(file: String, tensor: String, type: String)
  case partialBlock(file: String, tensor: String, columns: Int, type: String, blockElements: Int)
  case misaligned(file: String, tensor: String, offset: UInt64, alignment: Int)
  case beyondFile(file: String, tensor: String, end: UInt64, bytes: Int)
  case overlap(file: String, tensor: String, after: String)
  case duplicateTensor(String, files: [String])
  case unknownTensor(file: String, tensor: String, architecture: String)
  case split(file: String, problem: String)

  public var description: String {
    switch self {
    case .notGGUF(let file): "\(file): this is not a GGUF file: it does not start with GGUF"
    case .bigEndian(let file):
      "\(file): this GGUF file is big-endian; convert the model again for little-endian machines"
    case .unsupportedVersion(let file, let version):
      "\(file): GGUF version \(version) is not supported (supported: 2 and 3); convert the model again"
    case .ends(let file, let offset, let wanted):
      "\(file): the file ends at byte \(offset), where \(wanted) more were announced; download it again"
    case .tooMany(let file, let what, let count, let max):
      "\(file): the header claims \(count) \(what); at most \(max) are accepted. The file is damaged"
    case .string(let file, let what, let offset, let problem):
      "\(file): \(what) at byte \(offset) \(problem); the file is damaged"
    case .unknownValueType(let file, let key, let type):
      "\(file): \(quoted(key)) has values of type \(type), which GGUF does not have; the file is damaged or too new"
    case .nestedTooDeeply(let file, let key, let max):
      "\(file): \(quoted(key)) has arrays nested deeper than \(max); the file is damaged"
    case .badBool(let file, let key, let byte): "\(file): \(quoted(key)) is \(byte), which is neither true nor false"
    case .duplicateKey(let file, let key): "\(file): \(quoted(key)) is there twice; the file is damaged"
    case .missing(let file, let key): "\(file): \(key) is missing; convert the model again with a newer converter"
    case .wrongType(let file, let key, let expected): "\(file): \(quoted(key)) is not \(expected)"
    case .unsupportedValue(let file, let key, let found, let supported):
      "\(file): \(key) is \(found), which is not supported (supported: \(supported))"
    case .unknownKey(let file, let key):
      "\(file): \(quoted(key)) is not known and might change what the model computes; this version cannot import it"
    case .unsupportedArchitecture(let file, let found, let supported):
      "\(file): architecture \(quoted(found)) is not supported (supported: \(supported.joined(separator: ", ")))"
    case .badAlignment(let file, let found):
      "\(file): general.alignment is \(found); it must be a power of two of at most \(GGUFHeader.alignmentMax)"
    case .tensor(let file, let tensor, let problem): "\(file): tensor \(quoted(tensor)) \(problem)"
    case .unsupportedTensorType(let file, let tensor, let type):
      "\(file): tensor \(quoted(tensor)) is \(type), which is not supported (supported: "
        + GGMLType.supportedNames.joined(separator: ", ") + "); quantise the model to one of these"
    case .partialBlock(let file, let tensor, let columns, let type, let blockElements):
      "\(file): tensor \(quoted(tensor)) has rows of \(columns) elements; \(type) needs a multiple of \(blockElements)"
    case .misaligned(let file, let tensor, let offset, let alignment):
      "\(file): tensor \(quoted(tensor)) starts at \(offset), which is no multiple of \(alignment); the file is damaged"
    case .beyondFile(let file, let tensor, let end, let n):
      "\(file): tensor \(quoted(tensor)) ends at byte \(end) of the data, which has \(n); download the file again"
    case .overlap(let file, let tensor, let after): "\(file): tensor \(quoted(tensor)) overlaps \(quoted(after))"
    case .duplicateTensor(let name, let files):
      "tensor \(quoted(name)) is there twice: \(files.joined(separator: ", "))"
    case .unknownTensor(let file, let tensor, let architecture):
      "\(file): tensor \(quoted(tensor)) is not part of a \(architecture) model; the model does something that would be lost"
    case .split(let file, let problem): "\(file): \(problem)"
    }
  }
}
