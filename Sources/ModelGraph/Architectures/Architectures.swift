/// The registry: one line per architecture.
public enum Architectures {
  public static let all: [String: any Architecture] = [
    "bert": Bert(),
    "gemma2": Gemma2(),
    "gemma3": Gemma3(),
    "llama": Llama(),
    "mistral": Mistral(),
    "mixtral": Mixtral(),
    "phi3": Phi3(),
    "qwen2": Qwen2(),
    "qwen3": Qwen3(),
    "qwen3moe": Qwen3MoE(),
    "smollm3": SmolLM3(),
  ]
}
