/// What penalties and random bits need to know about an answer in progress, kept up to date per token.
public struct SamplerState: Sendable, Equatable {
  /// Every id of prompt and output once, with how often it occurs in the output.
  private(set) var seen: [(id: Int32, outputCount: Int)] = []
  /// Where an id stands in `seen`.
  private var places: [Int32: Int] = [:]
  /// How many ids have been generated.
  public private(set) var outputCount = 0

  public init(prompt: some Sequence<Int32>) {
    for id in prompt { _ = place(of: id) }
  }

  /// Notes a generated id.
  public mutating func append(_ id: Int32) {
    seen[place(of: id)].outputCount += 1
    outputCount += 1
  }

  private mutating func place(of id: Int32) -> Int {
    if let place = places[id] { return place }
    places[id] = seen.count
    seen.append((id, 0))
    return seen.count - 1
  }

  public static func == (a: SamplerState, b: SamplerState) -> Bool {
    a.outputCount == b.outputCount && a.places == b.places && a.seen.elementsEqual(b.seen, by: ==)
  }
}
