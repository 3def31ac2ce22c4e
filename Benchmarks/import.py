#!/usr/bin/env python3
"""Time and peak memory of importing a model of Llama 3.2 1B's shape with random weights:

    python=$(scripts/python.sh gguf Reference/gguf/requirements.txt)
    $python Benchmarks/import.py --evident .build/release/evident

from safetensors in BF16 and from GGUF in Q8_0 and Q4_K. The models are made one after another in --folder
(about 5 GB at a time) and removed. Peak memory is the largest resident set of the process, as `time -v` has it.
"""

import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HIDDEN, LAYERS, HEADS, KEY_VALUE_HEADS, INTERMEDIATE, VOCABULARY = 2048, 16, 32, 8, 8192, 128256
HEAD = HIDDEN // HEADS
# Name in transformers and GGUF, and shape, of every tensor outside of layers and in one.
OUTER = [("model.embed_tokens", "token_embd", (VOCABULARY, HIDDEN)), ("model.norm", "output_norm", (HIDDEN,))]
LAYER = [
    ("input_layernorm", "attn_norm", (HIDDEN,)), ("self_attn.q_proj", "attn_q", (HEADS * HEAD, HIDDEN)),
    ("self_attn.k_proj", "attn_k", (KEY_VALUE_HEADS * HEAD, HIDDEN)),
    ("self_attn.v_proj", "attn_v", (KEY_VALUE_HEADS * HEAD, HIDDEN)),
    ("self_attn.o_proj", "attn_output", (HIDDEN, HEADS * HEAD)), ("post_attention_layernorm", "ffn_norm", (HIDDEN,)),
    ("mlp.gate_proj", "ffn_gate", (INTERMEDIATE, HIDDEN)), ("mlp.up_proj", "ffn_up", (INTERMEDIATE, HIDDEN)),
    ("mlp.down_proj", "ffn_down", (HIDDEN, INTERMEDIATE)),
]
TENSORS = OUTER + [
    (f"model.layers.{n}.{a}", f"blk.{n}.{b}", shape) for n in range(LAYERS) for a, b, shape in LAYER]


def vocabulary():
    """As many tokens and merges as Llama 3 has, in GPT-2's alphabet."""
    import random

    draw = random.Random(1)
    tokens = [chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256)]]
    tokens += [chr(256 + i) for i in range(256 - len(tokens))]
    known, merges = set(tokens), []
    while len(tokens) < VOCABULARY - 256:
        pair = draw.choice(tokens), draw.choice(tokens)
        if len(pair[0] + pair[1]) <= 12 and pair[0] + pair[1] not in known:
            merges.append(" ".join(pair))
            tokens.append(pair[0] + pair[1])
            known.add(tokens[-1])
    return tokens + [f"<|reserved_{i}|>" for i in range(VOCABULARY - len(tokens))], merges


def make_safetensors(folder):
    import numpy as np

    folder.mkdir()
    random = np.random.default_rng(1)
    tokens, merges = vocabulary()
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [
        {"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True} for i in range(VOCABULARY - 256, VOCABULARY)]
    files = {
        "config.json": {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
            "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KEY_VALUE_HEADS,
            "head_dim": HEAD, "intermediate_size": INTERMEDIATE, "vocab_size": VOCABULARY,
            "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "hidden_act": "silu",
            "tie_word_embeddings": True, "eos_token_id": VOCABULARY - 1, "bos_token_id": VOCABULARY - 2},
        "tokenizer.json": {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": level, "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens[:VOCABULARY - 256])},
                      "merges": merges}},
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value))
    header, offset = {}, 0
    for name, _, shape in TENSORS:
        size = 2 * int(np.prod(shape))
        header[f"{name}.weight"] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, shape in TENSORS:
            for rows in chunks(shape):
                values = random.standard_normal((rows, shape[-1]), np.float32) * 0.05
                file.write((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())


def chunks(shape):
    rows = shape[0] if len(shape) > 1 else 1
    while rows > 0:
        yield min(rows, 2048)
        rows -= min(rows, 2048)


def make_gguf(path, kind):
    import gguf
    import numpy as np

    random = np.random.default_rng(1)
    quantised = gguf.GGMLQuantizationType[kind]
    elements, size = gguf.GGML_QUANT_SIZES[quantised]
    tokens, merges = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(131072)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_VALUE_HEADS)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(500000.0)
    writer.add_layer_norm_rms_eps(1e-05)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (VOCABULARY - 256) + [3] * 256)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(VOCABULARY - 2)
    writer.add_eos_token_id(VOCABULARY - 1)
    f32 = gguf.GGMLQuantizationType.F32
    for _, name, shape in TENSORS:
        vector = len(shape) == 1
        stored = shape if vector else (*shape[:-1], shape[-1] // elements * size)
        count = int(np.prod(stored))
        writer.add_tensor_info(
            f"{name}.weight", stored, np.dtype(np.float32 if vector else np.uint8), count * (4 if vector else 1),
            raw_dtype=f32 if vector else quantised)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    with open(path, "r+b") as file:
        writer.close()
        file.seek(0, os.SEEK_END)
        for _, _, shape in TENSORS:
            file.write(b"\0" * (-file.tell() % 32))
            for rows in chunks(shape):
                if len(shape) == 1:
                    file.write((1 + random.standard_normal(shape[0], np.float32) / 4).tobytes())
                    continue
                blocks = random.integers(0, 256, (rows * shape[-1] // elements, size), np.uint8)
                halves = (random.random((len(blocks), 2)) * 0.001).astype(np.float16).view(np.uint8)
                blocks[:, :4 if kind == "Q4_K" else 2] = halves[:, :4 if kind == "Q4_K" else 2]
                file.write(blocks.tobytes())


def measure(command, environment):
    """Seconds and peak memory in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"error: {' '.join(command)} ended with status {status}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evident", default=".build/release/evident")
    parser.add_argument("--folder", default=None, help="where the models are made (default: a temporary folder)")
    parser.add_argument("--formats", nargs="+", default=["BF16", "Q8_0", "Q4_K"])
    parser.add_argument("--make", nargs=2, metavar=("FORMAT", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        kind, path = arguments.make
        return make_safetensors(pathlib.Path(path)) if kind == "BF16" else make_gguf(path, kind)
    largest = VOCABULARY * HIDDEN
    for kind in arguments.formats:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="evident-import-", dir=arguments.folder))
        try:
            path = folder / ("model" if kind == "BF16" else "model.gguf")
            # Made by another process: this one's memory would count as the measured one's.
            subprocess.run([sys.executable, __file__, "--make", kind, path], check=True)
            files = [path] if path.is_file() else list(path.iterdir())
            size = sum(file.stat().st_size for file in files)
            environment = {**os.environ, "EVIDENT_MODELS": str(folder / "store")}
            evident = str(pathlib.Path(arguments.evident).resolve())
            bytes_each = {"BF16": 2, "Q8_0": 34 / 32, "Q4_K": 144 / 256}[kind]
            limit = (1.3 * largest * bytes_each) / 2**20 + 256
            for what, extra in [("store", []), ("pack", ["--pack", str(folder / "model.pack")])]:
                seconds, peak = measure([evident, "import", str(path), "--name", "m", *extra], environment)
                print(f"{kind:5} {size / 1e9:5.2f} GB into a {what}: {seconds:6.1f} s, "
                      f"{size / 1e9 / seconds:5.2f} GB/s, peak {peak:5.0f} MiB (limit {limit:.0f})", flush=True)
                shutil.rmtree(folder / "store", ignore_errors=True)
                (folder / "model.pack").unlink(missing_ok=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
