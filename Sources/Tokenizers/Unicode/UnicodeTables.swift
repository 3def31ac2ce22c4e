/// The Unicode properties that tokenizers look at, from tables of our own: the standard library's follow
/// the toolchain (on some systems the operating system), and ids must not change with either.
enum UnicodeTables {
  /// Per scalar value: general category in the low five bits, then one bit for each ``Property``.
  static let properties: PropertyTable = {
    var table = PropertyTable.Builder()
    var reader = VarintReader(UnicodeData.categories)
    var at = 0
    let wordCategories =
      CategoryMask.letter | CategoryMask.mark | CategoryMask.named("Nd") | CategoryMask.named("Nl")
      | CategoryMask.named("Pc")
    // In one pass: every process that needs a tokenizer waits for it.
    while let length = reader.next(), let category = reader.next() {
      let bit: UInt32 = 1 << (UInt32(category) & 31)
      var value = UInt32(category)
      if bit & CategoryMask.separator != 0 { value |= Property.whitespace.rawValue }
      if bit & wordCategories != 0 { value |= Property.word.rawValue | Property.rustWord.rawValue }
      table.add(value, to: at..<(at + length))
      at += length
    }
    func mark(_ data: StaticString, _ properties: Property...) {
      let bits = properties.reduce(0) { $0 | $1.rawValue }
      var reader = VarintReader(data)
      var at = 0
      while let gap = reader.next(), let length = reader.next() {
        table.add(bits, to: (at + gap)..<(at + gap + length))
        at += gap + length
      }
    }
    mark(UnicodeData.wordExtras, .wordExtra, .word)
    mark(UnicodeData.rustWordExtras, .rustWordExtra, .rustWord)
    mark(UnicodeData.scriptHan, .han)
    mark(UnicodeData.scriptHiragana, .hiragana)
    mark(UnicodeData.scriptKatakana, .katakana)
    mark(UnicodeData.scriptHangul, .hangul)
    mark(UnicodeData.marks, .mark)
    mark(UnicodeData.bertMarks, .bertMark)
    mark(UnicodeData.bertControls, .bertControl)
    mark(UnicodeData.punctuation, .punctuation)
    mark(UnicodeData.numerics, .numeric)
    for i in [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85] { table.add(Property.whitespace.rawValue, to: i..<(i + 1)) }
    return table.table()
  }()

  static func has(_ property: Property, _ scalar: UInt32) -> Bool {
    properties[Int(scalar)] & property.rawValue != 0
  }

  /// Full mappings: one scalar may become several.
  static let lowercase = mapping(UnicodeData.lowercase)
  static let uppercase = mapping(UnicodeData.uppercase)
  /// Where title case is not upper case.
  static let titlecase = mapping(UnicodeData.titlecase)

  private static func mapping(_ data: StaticString) -> [UInt32: [UInt32]] {
    var map: [UInt32: [UInt32]] = [:]
    var reader = VarintReader(data)
    var at = 0
    while let distance = reader.next(), let count = reader.next() {
      at += distance
      map[UInt32(at)] = reader.scalars(count)
    }
    return map
  }
}

/// A bit in ``UnicodeTables/properties``.
enum Property: UInt32, Sendable {
  case whitespace = 0x20
  /// `\w` of the regular expressions; `rustWord` is that of the pre-tokenizer Whitespace.
  case word = 0x40
  case wordExtra = 0x80
  case rustWord = 0x100
  case rustWordExtra = 0x200
  case han = 0x400
  case hiragana = 0x800
  case katakana = 0x1000
  case hangul = 0x2000
  case mark = 0x4000
  case bertMark = 0x8000
  case bertControl = 0x1_0000
  case punctuation = 0x2_0000
  case numeric = 0x4_0000
}

/// Sets of general categories, one bit each, in the order of the generated table.
enum CategoryMask {
  static let names = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
    "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
  ]
  static let letter = named("L")
  static let mark = named("M")
  static let separator = named("Z")

  /// The categories whose short name starts with `prefix`; 0 when there is none.
  static func named(_ prefix: String) -> UInt32 {
    var mask: UInt32 = 0
    for (i, name) in names.enumerated() where name.utf8.starts(with: prefix.utf8) { mask |= 1 << UInt32(i) }
    return prefix.isEmpty ? 0 : mask
  }
}

/// Reads the integers of ``UnicodeData``.
struct VarintReader {
  private let data: StaticString
  private var at = 0

  init(_ data: StaticString) { self.data = data }

  mutating func next() -> Int? {
    var value = 0
    var shift = 0
    while at < data.utf8CodeUnitCount {
      let c = data.utf8Start[at]
      at += 1
      if c == 0x0A { continue }
      let bits = Int(c) - 0x30
      value |= (bits & 31) << shift
      if bits & 32 == 0 { return value }
      shift += 5
    }
    return nil
  }

  mutating func scalars(_ count: Int) -> [UInt32] {
    (0..<count).compactMap { _ in next().map { UInt32($0) } }
  }
}
