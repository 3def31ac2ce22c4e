"""The inverse of conversion for Llama: what floating-point model a pack stands for."""

import math

import numpy as np

from . import conversion, frequencies

PATHS = {
    "q_proj": "self_attn.q_proj", "k_proj": "self_attn.k_proj", "v_proj": "self_attn.v_proj",
    "o_proj": "self_attn.o_proj", "gate_proj": "mlp.gate_proj", "up_proj": "mlp.up_proj", "down_proj": "mlp.down_proj",
}


def source_name(name, tied):
    """The name of a tensor of model.md in a Hugging Face Llama."""
    if name == "lm_head":
        return "model.embed_tokens.weight" if tied else "lm_head.weight"
    if not name.startswith("layers."):
        return f"model.{name}.weight"
    _, layer, inner = name.split(".")
    return f"model.layers.{layer}.{PATHS.get(inner, inner)}.weight"


def llama(loaded, rope_theta=10000.0):
    """config.json's fields and binary32 arrays with the names of a Hugging Face Llama."""
    config = loaded.config
    if loaded.architecture != "llama" or config.biases or config.window or config.activation:
        raise ValueError("not a plain llama")
    if loaded.frequencies != frequencies.frequencies(rope_theta, config.headDimension // 2):
        raise ValueError(f"the frequencies of the model are not those of rope_theta {rope_theta}")
    raw = {
        "model_type": "llama",
        "hidden_size": config.hiddenSize,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.keyValueHeads,
        "head_dim": config.headDimension,
        "intermediate_size": config.intermediateSize,
        "vocab_size": config.vocabularySize,
        "max_position_embeddings": config.contextLength,
        "rms_norm_eps": config.normEpsilon / config.hiddenSize / 4.0**config.residualFractionBits,
        "rope_theta": rope_theta,
        "tie_word_embeddings": config.tiedEmbeddings,
    }
    arrays = {}
    for name, tensor in loaded.tensors.items():
        real = tensor.real()
        if tensor.kind == "gain":
            real = real / math.sqrt(config.hiddenSize)
        elif name.endswith(".q_proj"):
            real = real / (conversion.LOG2_E / math.sqrt(config.headDimension))
        arrays[source_name(name, config.tiedEmbeddings)] = real.astype(np.float32)
    return arrays, raw
