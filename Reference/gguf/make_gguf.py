#!/usr/bin/env python3
"""Makes the small GGUF fixtures of Tests/ModelFilesTests/Fixtures/gguf with PyPI's gguf:

    make_gguf.py Tests/ModelFilesTests/Fixtures

- tiny-llama.gguf, tiny-llama-00001-of-00003.gguf …: the directory tiny-llama as GGUF, whole and in parts;
- blocks.gguf: random blocks of every quantised format and what gguf.quants makes of them;
- formats.gguf, formats.json: a Llama with one layer in each format, and the SHA-256 of every tensor as
  transformers would have it, in binary32.
"""

import hashlib
import json
import pathlib
import struct
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

BLOCKS = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.Q4_K, Type.Q5_K, Type.Q6_K]
FLOATS = [Type.F32, Type.F16, Type.BF16]
# Bytes of a block at which a binary16 number lies.
HALVES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2], Type.Q6_K: [208],
}
# Zeros, the smallest and largest subnormals and normals, and ordinary numbers, of both signs.
EXTREMES = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x8400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00, 0x2E66]


def safetensors(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            values = np.frombuffer(data[8 + length + start:8 + length + end], np.float32)
            yield name, values.reshape(entry["shape"])


NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    stem = name.removesuffix(".weight")
    if not stem.startswith("model.layers."):
        return f"{NAMES[stem]}.weight"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{NAMES[part]}.weight"


def interleaved(weight, heads):
    """What the converter does to the rows of q and k."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def describe(writer, config, tokens, template):
    writer.add_name("Tiny Llama")
    writer.add_license("apache-2.0")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["t h", "th e"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(0)
    writer.add_chat_template(template)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tiny_llama(fixtures, path, **split):
    source = fixtures / "tiny-llama"
    config = json.loads((source / "config.json").read_text())
    vocabulary = json.loads((source / "tokenizer.json").read_text())["model"]["vocab"]
    template = json.loads((source / "tokenizer_config.json").read_text())["chat_template"]
    writer = gguf.GGUFWriter(path, "llama", **split)
    describe(writer, config, sorted(vocabulary, key=vocabulary.get), template)
    for name, values in safetensors(source / "model.safetensors"):
        if "q_proj" in name:
            values = interleaved(values, config["num_attention_heads"])
        if "k_proj" in name:
            values = interleaved(values, config["num_key_value_heads"])
        writer.add_tensor(gguf_name(name), values)
    finish(writer)


def random_blocks(random, kind, rows):
    """Bytes of rows of 256 elements; the binary16 numbers are finite, each extreme one comes up."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (rows * 256 // block, size), dtype=np.uint8)
    for at in HALVES[kind]:
        halves = random.integers(0, 65536, len(data), dtype=np.uint16)
        halves[(halves & 0x7C00) == 0x7C00] &= 0xBFFF
        halves[: len(EXTREMES)] = random.permutation(EXTREMES)[: len(halves)]
        data[:, at:at + 2] = halves[:, None].view(np.uint8)
    return data.reshape(rows, -1)


def blocks(path):
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "blocks")
    for kind in BLOCKS:
        data = random_blocks(random, kind, 16)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        writer.add_tensor(f"{kind.name}.values", gguf.quants.dequantize(data, kind))
    finish(writer)


def formats(folder):
    random = np.random.default_rng(2)
    kinds = FLOATS + BLOCKS
    config = dict(
        hidden_size=256, intermediate_size=8, num_attention_heads=2, num_key_value_heads=1, head_dim=4,
        num_hidden_layers=len(kinds), vocab_size=32, max_position_embeddings=64, rope_theta=500000.0,
        rms_norm_eps=1e-6)
    writer = gguf.GGUFWriter(folder / "formats.gguf", "llama")
    tokens = ["<|endoftext|>", "<s>", "<|im_end|>"] + [chr(ord("a") + i) for i in range(26)] + ["Ġ", "th", "the"]
    describe(writer, config, tokens, "{{ messages }}")
    digests = {}

    def add(name, shape, kind, heads=None):
        values = (random.standard_normal(shape) * 0.1).astype(np.float32)
        # Rows that do not fill blocks stay as they are, as llama.cpp leaves them.
        block = gguf.GGML_QUANT_SIZES[kind][0]
        if len(shape) == 1 or shape[-1] % block:
            kind = Type.F32
        if kind in (Type.Q4_K, Type.Q5_K, Type.Q6_K):
            # gguf.quants cannot quantise to these; any bytes are valid, with sane scales.
            stored = random_blocks(random, kind, shape[0])
            for at in HALVES[kind]:
                halves = (random.random(len(stored)) * 0.01).astype(np.float16)
                stored[:, at:at + 2] = halves[:, None].view(np.uint8)
        else:
            stored = gguf.quants.quantize(values, kind)
        writer.add_tensor(gguf_name(name), stored, raw_dtype=kind)
        read = gguf.quants.dequantize(stored, kind).astype(np.float32).reshape(shape)
        if heads:
            read = read.reshape(heads, shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(shape)
        digests[name] = hashlib.sha256(np.ascontiguousarray(read).tobytes()).hexdigest()

    d, f = config["hidden_size"], config["intermediate_size"]
    add("model.embed_tokens.weight", (32, d), Type.Q8_0)
    for layer, kind in enumerate(kinds):
        prefix = f"model.layers.{layer}."
        add(f"{prefix}input_layernorm.weight", (d,), Type.F32)
        add(f"{prefix}self_attn.q_proj.weight", (8, d), kind, heads=2)
        add(f"{prefix}self_attn.k_proj.weight", (4, d), kind, heads=1)
        add(f"{prefix}self_attn.v_proj.weight", (4, d), kind)
        add(f"{prefix}self_attn.o_proj.weight", (d, 8), kind)
        add(f"{prefix}post_attention_layernorm.weight", (d,), Type.F32)
        add(f"{prefix}mlp.gate_proj.weight", (f, d), kind)
        add(f"{prefix}mlp.up_proj.weight", (f, d), kind)
        add(f"{prefix}mlp.down_proj.weight", (d, f), kind)
    add("model.norm.weight", (d,), Type.F32)
    finish(writer)
    (folder / "formats.json").write_text(json.dumps(digests, indent=1) + "\n")


def main(fixtures):
    folder = fixtures / "gguf"
    folder.mkdir(exist_ok=True)
    tiny_llama(fixtures, folder / "tiny-llama.gguf")
    tiny_llama(fixtures, folder / "tiny-llama.gguf", split_max_tensors=5)
    blocks(folder / "blocks.gguf")
    formats(folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
