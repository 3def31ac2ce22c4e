import ArgumentParser
import ModelFiles
import ModelGraph

/// The formats that a command gives to a model's weights.
struct WeightArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Format of linear weights (default: 4 bits in groups of 32 where a GGUF file has them, else 8; 16 for encoders).",
      valueName: "4bit|8bit|16bit"))
  var weights: Bits?
  @Option(
    help: ArgumentHelp(
      "Format of the head, in most models the embedding as well (default: 4 bits where a GGUF file has them, else 8).",
      valueName: "4bit|8bit|16bit"))
  var head: Bits?

  enum Bits: String, ExpressibleByArgument, CaseIterable {
    case eightBit = "8bit"
    case fourBit = "4bit"
    case sixteenBit = "16bit"

    var format: WeightFormat {
      switch self {
      case .eightBit: .eightBit
      case .fourBit: .fourBit
      case .sixteenBit: .sixteenBit
      }
    }

    /// What linear weights become that are not in 4 bits already.
    var kind: TensorEntry.Kind {
      switch self {
      case .eightBit: .linear8
      case .fourBit: .linear4
      case .sixteenBit: .linear16
      }
    }
  }

  var layers: WeightFormat { weights?.format ?? .automatic }
}
