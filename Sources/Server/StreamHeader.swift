import Receipts

/// The header `X-Evident-Stream`: whether checkpoints ride on the chunks of a stream, and how often.
struct StreamHeader: Equatable {
  /// Tokens between two checkpoints.
  let every: Int

  /// Reads `signed`, or `signed; every=N`.
  ///
  /// - Returns: nil without the header.
  init?(_ value: String?, stream: Bool) throws(APIError) {
    guard let value else { return nil }
    let name = "X-Evident-Stream"
    func refused() -> APIError {
      .invalid(
        name,
        "\(name) is '\(value.prefix(100))'; it must be 'signed', or 'signed; every=N' with N from 1 to "
          + "\(StreamSigner.everyMax)")
    }
    let parts = value.split(separator: ";", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard parts.first == "signed", parts.count <= 2 else { throw refused() }
    if parts.count == 2 {
      let digits = parts[1].dropFirst("every=".count)
      guard parts[1].hasPrefix("every="), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int(digits), (1...StreamSigner.everyMax).contains(number)
      else { throw refused() }
      every = number
    } else {
      every = StreamSigner.everyDefault
    }
    guard stream else { throw .invalid(name, "\(name) is for streams; send it with \"stream\": true") }
  }

  /// As it was understood.
  var text: String { "signed; every=\(every)" }
}
