/// A piece of a template's source.
struct TemplateToken: Sendable {
  enum Kind: Sendable, Equatable {
    case data([UInt8])
    case blockBegin, blockEnd, variableBegin, variableEnd
    case name(String)
    case string([UInt8])
    case integer(Int)
    case decimal(String)
    case symbol(String)
    case end
  }

  let kind: Kind
  let line: Int
}
