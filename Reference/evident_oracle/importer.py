"""Conversion of a Hugging Face directory by the binary64 rules of model.md, without any framework."""

import json
import math
import os

import numpy as np

from . import model, tables
from .canonical import Rejection

LOG2_E = 1.4426950408889634
LINEARS = {
    "q_proj": "self_attn.q_proj",
    "k_proj": "self_attn.k_proj",
    "v_proj": "self_attn.v_proj",
    "o_proj": "self_attn.o_proj",
    "gate_proj": "mlp.gate_proj",
    "up_proj": "mlp.up_proj",
    "down_proj": "mlp.down_proj",
}


def round_away(x):
    """Round to nearest, ties away from zero. The fraction x - trunc(x) is exact in binary64."""
    whole = np.trunc(x)
    return whole + np.where(np.abs(x - whole) >= 0.5, np.sign(x), 0.0)


def read_safetensors(path):
    """Name → binary32 or binary16-widened array of one file."""
    with open(path, "rb") as file:
        data = file.read()
    header_bytes = int.from_bytes(data[:8], "little")
    if len(data) < 8 or header_bytes > len(data) - 8:
        raise Rejection(f"{path}: header is cut")
    header = json.loads(data[8 : 8 + header_bytes])
    body = memoryview(data)[8 + header_bytes :]
    arrays = {}
    for name, description in header.items():
        if name == "__metadata__":
            continue
        start, stop = description["data_offsets"]
        raw = body[start:stop]
        kind = description["dtype"]
        if kind == "F32":
            array = np.frombuffer(raw, "<f4")
        elif kind == "F16":
            array = np.frombuffer(raw, "<f2")
        elif kind == "BF16":
            array = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            raise Rejection(f"{name}: type {kind} is not supported")
        arrays[name] = array.reshape(description["shape"])
    return arrays


def read_weights(directory):
    """All tensors of a directory, and the names of the files that hold them."""
    index = os.path.join(directory, "model.safetensors.index.json")
    if os.path.exists(index):
        with open(index, encoding="utf-8") as file:
            files = sorted(set(json.load(file)["weight_map"].values()))
        listed = files + ["model.safetensors.index.json"]
    else:
        files = sorted(name for name in os.listdir(directory) if name.endswith(".safetensors"))
        listed = files
    arrays = {}
    for name in files:
        arrays.update(read_safetensors(os.path.join(directory, name)))
    return arrays, listed


def _checked(name, x):
    flat = np.asarray(x, dtype=np.float64)
    if not np.isfinite(flat).all():
        raise Rejection(f"{name}: element {int(np.argmin(np.isfinite(flat.ravel())))} is not finite")
    return flat


def convert_matrix(name, x, limit, factor=1.0):
    """linear8 (limit 127) or table16 (limit 32767); `factor` multiplies the scales."""
    x = _checked(name, x)
    m = np.abs(x).max(axis=1)
    weights = round_away((x * float(limit)) / np.where(m == 0, 1.0, m)[:, None])
    scale = m / float(limit) * factor
    exponent = 0 if scale.max() == 0 else 24 - math.frexp(scale.max())[1]
    multipliers = np.minimum(round_away(np.ldexp(scale, exponent)), 2**24 - 1)
    return model.Matrix(weights.astype(np.int8 if limit == 127 else np.int16), multipliers.astype(np.int64), exponent)


def convert_gain(name, x):
    x = _checked(name, x)
    scaled = x * math.sqrt(len(x))
    largest = np.abs(scaled).max()
    exponent = 0 if largest == 0 else 23 - math.frexp(largest)[1]
    return model.Gain(np.clip(round_away(np.ldexp(scaled, exponent)), 1 - 2**23, 2**23 - 1).astype(np.int64), exponent)


def read_config(directory):
    """config.json as the fields that conversion needs; refuses what the architecture does not have."""
    with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
        raw = json.load(file)
    if raw.get("model_type") != "llama":
        raise Rejection(f"model_type {raw.get('model_type')} is not llama")
    if raw.get("hidden_act", "silu") != "silu":
        raise Rejection("hidden_act is not silu")
    for name in ("attention_bias", "mlp_bias"):
        if raw.get(name):
            raise Rejection(f"{name} is not supported")
    scaling = raw.get("rope_scaling") or raw.get("rope_parameters") or {}
    if scaling.get("rope_type", scaling.get("type", "default")) != "default":
        raise Rejection("rope scaling is not supported")
    raw.setdefault("rope_theta", scaling.get("rope_theta", 10000.0))
    raw["head_dim"] = raw.get("head_dim") or raw["hidden_size"] // raw["num_attention_heads"]
    raw["num_key_value_heads"] = raw.get("num_key_value_heads") or raw["num_attention_heads"]
    return raw


def make_config(raw):
    epsilon = round_away(np.ldexp(float(raw["rms_norm_eps"]) * raw["hidden_size"], 40))
    return model.Config(
        hiddenSize=raw["hidden_size"],
        layers=raw["num_hidden_layers"],
        heads=raw["num_attention_heads"],
        keyValueHeads=raw["num_key_value_heads"],
        headDimension=raw["head_dim"],
        intermediateSize=raw["intermediate_size"],
        vocabularySize=raw["vocab_size"],
        contextLength=raw["max_position_embeddings"],
        residualFractionBits=20,
        normEpsilon=max(1, int(epsilon)),
        tiedEmbeddings=bool(raw.get("tie_word_embeddings", False)),
    )


def _factor(config, name):
    """What the scales of a matrix are multiplied by beyond m / limit."""
    return LOG2_E / math.sqrt(config.headDimension) if name.endswith(".q_proj") else 1.0


def _sources(config):
    """Name of each tensor → its name in a Hugging Face Llama."""
    embedding = "model.embed_tokens.weight"
    head = embedding if config.tiedEmbeddings else "lm_head.weight"
    sources = {"lm_head": head, "norm": "model.norm.weight"}
    if not config.tiedEmbeddings:
        sources["embed_tokens"] = embedding
    for n in range(config.layers):
        for name in ("input_layernorm", "post_attention_layernorm"):
            sources[f"layers.{n}.{name}"] = f"model.layers.{n}.{name}.weight"
        for name, path in LINEARS.items():
            sources[f"layers.{n}.{name}"] = f"model.layers.{n}.{path}.weight"
    return sources


def convert_tensors(config, arrays):
    """Every tensor of the architecture, from arrays with the names of a Hugging Face Llama."""
    sources, tensors = _sources(config), {}
    for name, (kind, shape) in model.tensor_shapes(config).items():
        if sources[name] not in arrays:
            raise Rejection(f"{sources[name]} is missing")
        array = arrays[sources[name]]
        if list(array.shape) != shape:
            raise Rejection(f"{sources[name]} has shape {list(array.shape)}, not {shape}")
        if kind == "gain":
            tensors[name] = convert_gain(sources[name], array)
        else:
            limit = 127 if kind == "linear8" else 32767
            tensors[name] = convert_matrix(sources[name], array, limit, _factor(config, name))
    return tensors


def dequantised(loaded, rope_theta=10000.0):
    """The inverse of conversion: config.json's fields and binary32 arrays with the names of a Hugging Face Llama."""
    config = loaded.config
    if loaded.frequencies != tables.frequencies(rope_theta, config.headDimension // 2):
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
    for name, source in _sources(config).items():
        tensor = loaded.tensors[name]
        if isinstance(tensor, model.Gain):
            real = tensor.values * 2.0**-tensor.exponent / math.sqrt(config.hiddenSize)
        else:
            real = tensor.real() / _factor(config, name)
        arrays[source] = real.astype(np.float32)
    return arrays, raw


def _optional_json(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _chat_template(directory):
    path = os.path.join(directory, "chat_template.jinja")
    if os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    template = _optional_json(directory, "tokenizer_config.json").get("chat_template")
    if isinstance(template, list):
        template = next((item["template"] for item in template if item.get("name") == "default"), None)
    return None if template is None else template.encode("utf-8")


def import_directory(directory, path):
    """Converts a directory to a pack and returns the loaded model."""
    raw = read_config(directory)
    config = make_config(raw)
    arrays, weight_files = read_weights(directory)
    generation = _optional_json(directory, "generation_config.json")

    def token(name):
        return generation[name] if generation.get(name) is not None else raw.get(name)

    end = token("eos_token_id")
    optional = ["generation_config.json", "tokenizer_config.json", "chat_template.jinja"]
    names = weight_files + ["config.json", "tokenizer.json"]
    names += [name for name in optional if os.path.exists(os.path.join(directory, name))]
    contents = {}
    for name in names:
        with open(os.path.join(directory, name), "rb") as file:
            contents[name] = file.read()
    return model.save(
        path,
        config,
        convert_tensors(config, arrays),
        tables.frequencies(raw["rope_theta"], config.headDimension // 2),
        {
            "endOfSequence": end if isinstance(end, list) else [] if end is None else [end],
            "beginOfSequence": token("bos_token_id"),
        },
        contents["tokenizer.json"],
        _chat_template(directory),
        [{"name": name, **model.described(contents[name])} for name in sorted(contents, key=str.encode)],
    )
