"""Times llama.cpp (the one inside llama-cpp-python, built natively) on a random model of a given shape.

Usage: llama_cpp_bench.py SHAPE FORMAT --threads N --cache DIRECTORY
Prints one JSON line per figure: {"what": "prefill 512", "tokensPerSecond": ...}. Medians are taken by the caller. The
peak memory is what loading and running add to this process: Python and its libraries are not llama.cpp's.
"""

import argparse
import ctypes
import json
import os
import pathlib
import time

import gguf
import llama_cpp
import numpy as np

from shapes import SHAPES


def model_file(cache: pathlib.Path, name: str, format: str) -> pathlib.Path:
    """The model of that shape and format, made once. Those that mix types are made by llama.cpp's own quantiser."""
    path = cache / f"{name}-{format}.gguf"
    if path.exists():
        return path
    pure = {"F16": "F16", "Q8_0": "Q8_0", "Q4_0_pure": "Q4_0"}.get(format)
    if pure:
        make_gguf(path, SHAPES[name], gguf.GGMLQuantizationType[pure])
        return path
    source = model_file(cache, name, "F16")
    p = llama_cpp.llama_model_quantize_default_params()
    p.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{format}")
    temporary = path.with_suffix(".new")
    failed = llama_cpp.llama_model_quantize(str(source).encode(), str(temporary).encode(), ctypes.byref(p))
    assert failed == 0, f"llama.cpp cannot quantise to {format}"
    os.rename(temporary, path)
    source.unlink()
    return path


def memory(field: str) -> int:
    """VmRSS or VmHWM of this process in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))


def make_gguf(path: pathlib.Path, shape: dict, quantisation: gguf.GGMLQuantizationType) -> None:
    rng = np.random.default_rng(1)
    temporary = path.with_suffix(".new")
    w = gguf.GGUFWriter(str(temporary), "llama")
    w.add_context_length(4096)
    w.add_embedding_length(shape["hidden"])
    w.add_block_count(shape["layers"])
    w.add_feed_forward_length(shape["intermediate"])
    w.add_head_count(shape["heads"])
    w.add_head_count_kv(shape["kv_heads"])
    w.add_key_length(shape["head_dim"])
    w.add_value_length(shape["head_dim"])
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(shape["head_dim"])
    w.add_vocab_size(shape["vocab"])
    w.add_tokenizer_model("none")

    def matrix(name, rows, columns):
        values = rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(columns**-0.5)
        w.add_tensor(name, gguf.quants.quantize(values, quantisation), raw_dtype=quantisation)

    def norm(name):
        w.add_tensor(name, np.ones(shape["hidden"], dtype=np.float32))

    d, hd = shape["hidden"], shape["head_dim"]
    matrix("token_embd.weight", shape["vocab"], d)
    for n in range(shape["layers"]):
        norm(f"blk.{n}.attn_norm.weight")
        matrix(f"blk.{n}.attn_q.weight", shape["heads"] * hd, d)
        matrix(f"blk.{n}.attn_k.weight", shape["kv_heads"] * hd, d)
        matrix(f"blk.{n}.attn_v.weight", shape["kv_heads"] * hd, d)
        matrix(f"blk.{n}.attn_output.weight", d, shape["heads"] * hd)
        norm(f"blk.{n}.ffn_norm.weight")
        matrix(f"blk.{n}.ffn_gate.weight", shape["intermediate"], d)
        matrix(f"blk.{n}.ffn_up.weight", shape["intermediate"], d)
        matrix(f"blk.{n}.ffn_down.weight", d, shape["intermediate"])
    norm("output_norm.weight")
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    os.rename(temporary, path)


SILENT = llama_cpp.llama_log_callback(lambda *_: None)
llama_cpp.llama_log_set(SILENT, ctypes.c_void_p())


class Context:
    def __init__(self, path: pathlib.Path, threads: int, flash_attention: bool, length: int):
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        assert self.model, f"llama.cpp cannot load {path}"
        p = llama_cpp.llama_context_default_params()
        p.n_ctx, p.n_batch, p.n_ubatch = length, 512, 512
        p.n_threads = p.n_threads_batch = threads
        p.no_perf = True
        p.flash_attn_type = 1 if flash_attention else 0
        self.context = llama_cpp.llama_init_from_model(self.model, p)
        assert self.context
        self.memory = llama_cpp.llama_get_memory(self.context)

    def clear(self):
        llama_cpp.llama_memory_clear(self.memory, True)

    def evaluate(self, tokens):
        for start in range(0, len(tokens), 512):
            part = tokens[start : start + 512]
            array = (llama_cpp.llama_token * len(part))(*part)
            assert llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(array, len(part))) == 0
        llama_cpp.llama_synchronize(self.context)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("format", choices=["Q8_0", "Q4_0_pure", "Q4_0", "Q4_K_M"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--flash-attention", action="store_true")
    parser.add_argument("--prefill", type=int, nargs="*", default=[512])
    parser.add_argument("--decode-at", type=int, nargs="*", default=[128])
    parser.add_argument("--decode-tokens", type=int, default=64)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    arguments = parser.parse_args()

    shape = SHAPES[arguments.shape]
    arguments.cache.mkdir(parents=True, exist_ok=True)
    path = arguments.cache / f"{arguments.shape}-{arguments.format}.gguf"
    if not path.exists():
        # In a process of its own, whose peak of memory is not measured.
        if os.fork() == 0:
            model_file(arguments.cache, arguments.shape, arguments.format)
            os._exit(0)
        os.wait()

    longest = max([*arguments.prefill, *[n + arguments.decode_tokens for n in arguments.decode_at]])
    before = memory("VmRSS")
    context = Context(path, arguments.threads, arguments.flash_attention, (longest + 255) // 256 * 256)
    rng = np.random.default_rng(2)
    tokens = [int(t) for t in rng.integers(0, shape["vocab"], longest)]

    def report(what, count, seconds):
        print(json.dumps({"what": what, "tokensPerSecond": count / seconds}), flush=True)

    context.evaluate(tokens[:32])
    for count in arguments.prefill:
        context.clear()
        start = time.perf_counter()
        context.evaluate(tokens[:count])
        report(f"prefill {count}", count, time.perf_counter() - start)
    for position in arguments.decode_at:
        context.clear()
        context.evaluate(tokens[:position])
        start = time.perf_counter()
        for token in tokens[position : position + arguments.decode_tokens]:
            context.evaluate([token])
        report(f"decode @{position}", arguments.decode_tokens, time.perf_counter() - start)
    print(json.dumps({"what": "peak memory", "bytes": memory("VmHWM") - before}))


main()
