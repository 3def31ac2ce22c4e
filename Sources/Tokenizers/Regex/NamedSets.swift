/// The character classes that regular expressions name.
enum NamedSets {
  static let digit = ScalarSet.categories(CategoryMask.named("Nd"))
  static let hexDigit = ScalarSet.union([.range(0x30, 0x39), .range(0x41, 0x46), .range(0x61, 0x66)])

  /// Oniguruma's `\w` holds the superscript digits and fractions of Latin-1, but not inside a class.
  static let wordInClass = ScalarSet.intersection([
    .property(.word), .complement(.union([.range(0xB2, 0xB3), .range(0xB9, 0xB9), .range(0xBC, 0xBE)])),
  ])

  /// `\p{name}`; nil for a name that we have no data for.
  static func property(_ name: String) -> ScalarSet? {
    switch name {
    case "Han": return .property(.han)
    case "Hiragana": return .property(.hiragana)
    case "Katakana": return .property(.katakana)
    case "Hangul": return .property(.hangul)
    case "Any": return .any
    case "ASCII": return .range(0, 0x7F)
    case "Letter": return .categories(CategoryMask.letter)
    case "Number": return .categories(CategoryMask.named("N"))
    case "Mark": return .categories(CategoryMask.mark)
    case "Punctuation": return .categories(CategoryMask.named("P"))
    case "Symbol": return .categories(CategoryMask.named("S"))
    case "Word": return .property(.word)
    case "Space": return .property(.whitespace)
    case "Digit": return digit
    default:
      guard name.utf8.count <= 2 else { return nil }
      let mask = CategoryMask.named(name)
      return mask == 0 ? nil : .categories(mask)
    }
  }

  /// `[:name:]`
  static func posix(_ name: String) -> ScalarSet? {
    switch name {
    case "digit": digit
    case "space": .property(.whitespace)
    case "word": wordInClass
    case "xdigit": hexDigit
    case "ascii": .range(0, 0x7F)
    default: nil
    }
  }
}

/// Simple case folding, for `(?i)`.
enum CaseFolding {
  /// Every scalar that folds to the same scalar as `c`.
  static func variants(of c: UInt32) -> ScalarSet {
    let key = fold(c)
    let members = classes[key] ?? []
    return members.isEmpty ? .range(c, c) : .union(members.map { .range($0, $0) })
  }

  private static func fold(_ c: UInt32) -> UInt32 {
    func single(_ map: [UInt32: [UInt32]], _ c: UInt32) -> UInt32 {
      if let to = map[c], to.count == 1 { to[0] } else { c }
    }
    return single(UnicodeTables.lowercase, single(UnicodeTables.uppercase, single(UnicodeTables.lowercase, c)))
  }

  private static let classes: [UInt32: [UInt32]] = {
    var classes: [UInt32: [UInt32]] = [:]
    for c in Set(UnicodeTables.lowercase.keys).union(UnicodeTables.uppercase.keys) {
      classes[fold(c), default: []].append(c)
    }
    for key in Array(classes.keys) where classes[key]?.contains(key) == false { classes[key]?.append(key) }
    return classes
  }()
}
