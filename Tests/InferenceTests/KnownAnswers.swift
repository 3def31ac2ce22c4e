import Inference
import ModelGraph

/// Drafts from answers that are known in advance: right, wrong or mixed as a test wants them.
struct KnownAnswers: Drafting {
  enum Errors: CaseIterable {
    case none, some, all
  }

  /// Prompts with their answers.
  let texts: [[Int32]]
  let vocabulary: Int32
  let errors: Errors

  /// Answers beyond their end of sequence, up to their limits.
  init(_ orders: [Order], on engine: Engine, errors: Errors) throws {
    texts = try orders.map { $0.prompt + (try $0.endless.alone(on: engine).tokens) }
    vocabulary = Int32(engine.image.manifest.config.vocabularySize)
    self.errors = errors
  }

  func draft(after tokens: [Int32], count: Int) -> [Int32] {
    guard let text = texts.first(where: { $0.count > tokens.count && $0.starts(with: tokens) }) else { return [] }
    let known = text[tokens.count..<min(tokens.count + count, text.count)]
    return known.indices.map { index in
      let isWrong =
        switch errors {
        case .none: false
        case .some: index % 7 == 3 || index % 11 == 0
        case .all: true
        }
      return isWrong ? (known[index] + 1) % vocabulary : known[index]
    }
  }
}
