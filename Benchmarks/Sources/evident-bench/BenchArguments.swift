/// What to measure.
struct BenchArguments {
  var model = "smollm2-135m"
  var threads: Int?
  var chunk: Int?
  var kernels = "auto"
  var prefill = [128, 512]
  var decode = [128, 1024]
  var batch = [16]
  var replay = 256
  var steps = 32
  var rounds = 5

  struct Usage: Error, CustomStringConvertible {
    let problem: String
    var description: String {
      """
      \(problem)
      usage: evident-bench [MODEL] [--threads N] [--kernels NAME] [--chunk N] [--prefill N,N] [--decode N,N]
                           [--batch N,N] [--replay N] [--steps N] [--rounds N]
      MODEL is evident-tiny, smollm2-135m, qwen2.5-0.5b, llama-3.2-1b (random weights) or the path of a pack.
      """
    }
  }

  init(_ arguments: some Sequence<String>) throws(Usage) {
    var rest = Array(arguments)[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        model = argument
        continue
      }
      guard let value = rest.popFirst() else { throw Usage(problem: "\(argument) needs a value") }
      func list() throws(Usage) -> [Int] {
        let numbers = value.split(separator: ",").compactMap { Int($0) }
        guard numbers.allSatisfy({ $0 > 0 }) || value == "0" else { throw Usage(problem: "\(argument) \(value)") }
        return value == "0" ? [] : numbers
      }
      func number() throws(Usage) -> Int {
        guard let number = Int(value), number >= 0 else { throw Usage(problem: "\(argument) \(value)") }
        return number
      }
      switch argument {
      case "--threads": threads = try number()
      case "--kernels": kernels = value
      case "--chunk": chunk = try number()
      case "--prefill": prefill = try list()
      case "--decode": decode = try list()
      case "--batch": batch = try list()
      case "--replay": replay = try number()
      case "--steps": steps = try number()
      case "--rounds": rounds = try number()
      default: throw Usage(problem: "unknown option \(argument)")
      }
    }
  }
}
