#!/usr/bin/env python3
"""Time and peak memory of importing a model of Llama 3.2 1B's shape with random weights:

    python=$(scripts/python.sh gguf Reference/gguf/requirements.txt)
    $python Benchmarks/import.py --evident .build/release/evident

from safetensors in BF16 and from GGUF in Q8_0 and Q4_K. The models are made one after another in --folder
(about 5 GB at a time) and removed. Peak memory is the largest resident set of the process, as `time -v` has it.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from checkpoint import chunks, make_safetensors, tensors, vocabulary
from shapes import SHAPES

SHAPE = SHAPES["Llama-3.2-1B"]
TENSORS = tensors(SHAPE)


def make_gguf(path, kind):
    import gguf
    import numpy as np

    random = np.random.default_rng(1)
    quantised = gguf.GGMLQuantizationType[kind]
    elements, size = gguf.GGML_QUANT_SIZES[quantised]
    tokens, merges = vocabulary(SHAPE["vocab"])
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(131072)
    writer.add_embedding_length(SHAPE["hidden"])
    writer.add_block_count(SHAPE["layers"])
    writer.add_feed_forward_length(SHAPE["intermediate"])
    writer.add_head_count(SHAPE["heads"])
    writer.add_head_count_kv(SHAPE["kv_heads"])
    writer.add_rope_dimension_count(SHAPE["head_dim"])
    writer.add_rope_freq_base(500000.0)
    writer.add_layer_norm_rms_eps(1e-05)
    writer.add_vocab_size(SHAPE["vocab"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (SHAPE["vocab"] - 256) + [3] * 256)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(SHAPE["vocab"] - 2)
    writer.add_eos_token_id(SHAPE["vocab"] - 1)
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
        return make_safetensors(pathlib.Path(path), SHAPE) if kind == "BF16" else make_gguf(path, kind)
    largest = SHAPE["vocab"] * SHAPE["hidden"]
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
