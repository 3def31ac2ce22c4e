"""The shapes that speed is measured on, with random weights: nothing to download, nothing to agree on."""

SHAPES = {
    # name: hidden, layers, heads, key-value heads, head dimension, intermediate, vocabulary, tied
    "SmolLM2-135M": dict(hidden=576, layers=30, heads=9, kv_heads=3, head_dim=64, intermediate=1536, vocab=49152, tied=True),
    "Qwen2.5-0.5B": dict(hidden=896, layers=24, heads=14, kv_heads=2, head_dim=64, intermediate=4864, vocab=151936, tied=True),
    "Llama-3.2-1B": dict(hidden=2048, layers=16, heads=32, kv_heads=8, head_dim=64, intermediate=8192, vocab=128256, tied=True),
}
