#!/usr/bin/env python3
"""Writes the fixture tiny-llama: a Llama directory of a few kilobytes with pseudo-random weights.

The golden digest in ImporterTests.swift belongs to the files that this script writes:

    python3 make_tiny_llama.py tiny-llama
"""

import json
import os
import struct
import sys

HIDDEN, LAYERS, HEADS, KEY_VALUE_HEADS, HEAD_DIM, INTERMEDIATE, VOCABULARY = 8, 1, 2, 1, 4, 12, 32
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def uniform(count, state):
    """Numbers in [-1, 1) from a linear congruential generator (Knuth's MMIX), 24 bits each."""
    values = []
    for _ in range(count):
        state[0] = (state[0] * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((state[0] >> 40) / 2**23 - 1)
    return values


def tensors():
    d, kv = HIDDEN, KEY_VALUE_HEADS * HEAD_DIM
    yield "model.embed_tokens.weight", [VOCABULARY, d], 1.0
    for n in range(LAYERS):
        layer = f"model.layers.{n}"
        yield f"{layer}.input_layernorm.weight", [d], None
        yield f"{layer}.self_attn.q_proj.weight", [HEADS * HEAD_DIM, d], 0.5
        yield f"{layer}.self_attn.k_proj.weight", [kv, d], 0.5
        yield f"{layer}.self_attn.v_proj.weight", [kv, d], 0.5
        yield f"{layer}.self_attn.o_proj.weight", [d, HEADS * HEAD_DIM], 0.5
        yield f"{layer}.post_attention_layernorm.weight", [d], None
        yield f"{layer}.mlp.gate_proj.weight", [INTERMEDIATE, d], 0.5
        yield f"{layer}.mlp.up_proj.weight", [INTERMEDIATE, d], 0.5
        yield f"{layer}.mlp.down_proj.weight", [d, INTERMEDIATE], 0.5
    yield "model.norm.weight", [d], None
    yield "lm_head.weight", [VOCABULARY, d], 0.25


def safetensors():
    state, header, data = [1], {"__metadata__": {"format": "pt"}}, b""
    for name, shape, scale in tensors():
        count = 1
        for extent in shape:
            count *= extent
        values = [1 + x / 4 if scale is None else x * scale for x in uniform(count, state)]
        part = struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def tokenizer():
    words = SPECIALS + [chr(ord("a") + i) for i in range(26)] + ["\u0120", "th", "the"]
    added = [
        {"id": i, "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for i, s in enumerate(SPECIALS)
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "vocab": {word: i for i, word in enumerate(words)}, "merges": ["t h", "th e"],
        },
    }


def config():
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "mlp_bias": False,
        "hidden_act": "silu", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS, "head_dim": HEAD_DIM, "intermediate_size": INTERMEDIATE,
        "vocab_size": VOCABULARY, "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
        "rope_scaling": None, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 0,
        "torch_dtype": "float32",
    }


def main(directory):
    os.makedirs(directory, exist_ok=True)
    template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    files = {
        "config.json": config(),
        "generation_config.json": {"bos_token_id": 1, "eos_token_id": [2, 0]},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {"chat_template": template},
    }
    for name, value in files.items():
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
            file.write("\n")
    with open(os.path.join(directory, "model.safetensors"), "wb") as file:
        file.write(safetensors())


if __name__ == "__main__":
    main(sys.argv[1])
