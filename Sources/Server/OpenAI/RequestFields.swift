import Digests
import HTTPTypes

/// The members of a request, taken one by one; what is left over at the end is refused by name.
///
/// A parameter that is ignored silently would make the statement about the answer a lie.
struct RequestFields {
  private var object: JSONObject
  private var left: Set<String>

  init(_ body: JSON) throws(APIError) {
    guard let object = body.object else {
      throw APIError(.badRequest, "the request body must be a JSON object")
    }
    self.object = object
    left = Set(object.keys)
  }

  /// The member's value; nil when it is absent or null.
  mutating func take(_ name: String) -> JSON? {
    left.remove(name)
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  mutating func takeString(_ name: String) throws(APIError) -> String? {
    guard let value = take(name) else { return nil }
    guard let string = value.string else { throw .invalid(name, "\(name) must be a string") }
    return string
  }

  mutating func takeBool(_ name: String) throws(APIError) -> Bool? {
    guard let value = take(name) else { return nil }
    guard let bool = value.bool else { throw .invalid(name, "\(name) must be true or false") }
    return bool
  }

  mutating func takeInteger(_ name: String, _ range: ClosedRange<Int>) throws(APIError) -> Int? {
    guard let value = take(name) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw .invalid(name, "\(name) must be an integer between \(range.lowerBound) and \(range.upperBound)")
    }
    return integer
  }

  /// A decimal number as millionths.
  mutating func takeMicros(_ name: String, _ range: ClosedRange<Int>) throws(APIError) -> Int? {
    guard let value = take(name) else { return nil }
    guard let micros = value.number?.scaled(byPowerOfTen: 6), range.contains(micros) else {
      throw .invalid(
        name,
        "\(name) must be a number between \(RequestFields.decimal(range.lowerBound)) and \(RequestFields.decimal(range.upperBound))"
      )
    }
    return micros
  }

  /// Refuses a member unless it has the one value that changes nothing.
  mutating func refuse(_ name: String, unless harmless: JSON, _ why: String) throws(APIError) {
    guard let value = take(name), value != harmless else { return }
    throw .unsupported(name, why)
  }

  /// Call after everything known was taken.
  func refuseTheRest() throws(APIError) {
    if let name = left.sorted().first(where: { object[$0]?.isNull == false }) {
      throw .unsupported(name, "this server does not know this parameter and will not ignore it")
    }
  }

  /// Millionths as decimal text, for messages.
  static func decimal(_ micros: Int) -> String {
    let (whole, fraction) = micros.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    var text = (micros < 0 ? "-" : "") + String(whole)
    if fraction != 0 {
      var digits = String(String(1_000_000 + fraction).dropFirst())
      while digits.last == "0" { digits.removeLast() }
      text += "." + digits
    }
    return text
  }
}
