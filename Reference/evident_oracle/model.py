"""The manifest of model.md and its tensors, with every check of that page and of section 9 of arithmetic.md."""

import re
from dataclasses import dataclass

import numpy as np

from . import canonical, pack
from .canonical import Rejection

CONFIG_INTEGERS = (
    "hiddenSize layers heads keyValueHeads headDimension intermediateSize vocabularySize contextLength "
    "residualFractionBits normEpsilon"
).split()


@dataclass(frozen=True)
class Config:
    hiddenSize: int
    layers: int
    heads: int
    keyValueHeads: int
    headDimension: int
    intermediateSize: int
    vocabularySize: int
    contextLength: int
    residualFractionBits: int
    normEpsilon: int
    tiedEmbeddings: bool


class Matrix:
    """linear8 or table16: integer weights [rows, columns], multipliers [rows], exponent f."""

    def __init__(self, weights, multipliers, exponent):
        self.weights = weights
        self.multipliers = multipliers.astype(np.int64)
        self.exponent = exponent
        self._transposed = None

    def transposed(self):
        """The weights as binary64 [columns, rows], for exact products through the linear algebra library."""
        if self._transposed is None:
            self._transposed = self.weights.T.astype(np.float64)
        return self._transposed

    def real(self):
        """The weights as real numbers; only for measurements."""
        return self.weights * (self.multipliers * 2.0**-self.exponent)[:, None]


@dataclass(frozen=True)
class Gain:
    values: np.ndarray
    exponent: int


@dataclass(frozen=True)
class Model:
    config: Config
    tensors: dict
    frequencies: list
    endOfSequence: list
    beginOfSequence: object
    manifest: bytes

    @property
    def digest(self):
        return canonical.sha256(self.manifest)


def tensor_shapes(config):
    """Name → (kind, shape) of every tensor that the architecture requires."""
    d, i, v = config.hiddenSize, config.intermediateSize, config.vocabularySize
    q, kv = config.heads * config.headDimension, config.keyValueHeads * config.headDimension
    shapes = {"lm_head": ("linear8", [v, d]), "norm": ("gain", [d])}
    if not config.tiedEmbeddings:
        shapes["embed_tokens"] = ("table16", [v, d])
    for n in range(config.layers):
        prefix = f"layers.{n}."
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[prefix + name] = ("gain", [d])
        linears = {"q": [q, d], "k": [kv, d], "v": [kv, d], "o": [d, q], "gate": [i, d], "up": [i, d], "down": [d, i]}
        for name, shape in linears.items():
            shapes[f"{prefix}{name}_proj"] = ("linear8", shape)
    return shapes


def load(path):
    """Reads a pack into a model or raises `Rejection`."""
    entries = pack.read(path)
    manifest = canonical.decode(entries[0], "manifest")
    _members(manifest, "manifest", "schema arithmetic architecture config rope tokens tensors blobs source")
    for member, expected in (
        ("schema", "evident.model.v1"),
        ("arithmetic", "evident.int.v1"),
        ("architecture", "llama"),
    ):
        _require(manifest[member] == expected, f"{member} is not {expected}")
    config = _config(manifest["config"])
    _check_blobs(manifest["blobs"], entries[1:])
    _check_source(manifest["source"])
    return Model(
        config=config,
        tensors=_tensors(manifest["tensors"], config, entries[1]),
        frequencies=_frequencies(manifest["rope"], config),
        manifest=entries[0],
        **_tokens(manifest["tokens"], config),
    )


def _require(condition, message):
    if not condition:
        raise Rejection(f"manifest: {message}")


def _members(value, where, names):
    _require(isinstance(value, dict), f"{where} is not an object")
    _require(sorted(value) == sorted(names.split()), f"{where} has the members {sorted(value)}, not {names}")


def _integer(value, where, low, high):
    _require(isinstance(value, int) and not isinstance(value, bool), f"{where} is not an integer")
    _require(low <= value <= high, f"{where} = {value} is not in {low}…{high}")
    return value


def _config(value):
    _members(value, "config", " ".join(CONFIG_INTEGERS) + " tiedEmbeddings")
    bounds = {
        "hiddenSize": (1, 16384),
        "layers": (1, 65535),
        "heads": (1, 65535),
        "keyValueHeads": (1, 65535),
        "headDimension": (2, 256),
        "intermediateSize": (1, 65535),
        "vocabularySize": (1, 2**20),
        "contextLength": (1, 2**20),
        "residualFractionBits": (8, 30),
        "normEpsilon": (1, 2**53 - 1),
    }
    for name, (low, high) in bounds.items():
        _integer(value[name], name, low, high)
    _require(isinstance(value["tiedEmbeddings"], bool), "tiedEmbeddings is not a boolean")
    config = Config(**value)
    _require(config.headDimension % 2 == 0, "headDimension is odd")
    _require(config.heads % config.keyValueHeads == 0, "heads is not a multiple of keyValueHeads")
    _require(config.heads * config.headDimension <= 65535, "heads · headDimension is above 65535")
    return config


def _frequencies(value, config):
    _members(value, "rope", "frequencies")
    texts = value["frequencies"]
    _require(isinstance(texts, list) and len(texts) == config.headDimension // 2, "rope has not hd/2 frequencies")
    for text in texts:
        _require(isinstance(text, str) and re.fullmatch("[0-9a-f]{16}", text), "frequency is not 16 hex digits")
    return [int(text, 16) for text in texts]


def _tokens(value, config):
    _members(value, "tokens", "endOfSequence beginOfSequence")
    ids, begin = value["endOfSequence"], value["beginOfSequence"]
    _require(isinstance(ids, list) and ids, "endOfSequence is empty")
    for token in ids + ([] if begin is None else [begin]):
        _integer(token, "token id", 0, config.vocabularySize - 1)
    return {"endOfSequence": ids, "beginOfSequence": begin}


def _check_digest(value, where):
    _require(isinstance(value, str) and re.fullmatch("sha256:[0-9a-f]{64}", value), f"{where}: bad digest")


def _check_blobs(value, blobs):
    _members(value, "blobs", "weights tokenizer chatTemplate")
    named = [name for name in ("weights", "tokenizer", "chatTemplate") if value[name] is not None]
    _require(named[:2] == ["weights", "tokenizer"], "weights or tokenizer is null")
    _require(len(named) == len(blobs), "the pack has not one entry for each blob")
    for name, blob in zip(named, blobs):
        _members(value[name], name, "digest bytes")
        _require(value[name]["bytes"] == len(blob), f"{name}: wrong size")
        _require(value[name]["digest"] == "sha256:" + canonical.sha256(blob).hex(), f"{name}: wrong digest")


def _check_source(value):
    _members(value, "source", "format files")
    _require(value["format"] == "safetensors" and isinstance(value["files"], list), "source is malformed")
    for file in value["files"]:
        _members(file, "source file", "name digest bytes")
        _require(isinstance(file["name"], str), "source file without a name")
        _check_digest(file["digest"], "source file")
        _integer(file["bytes"], "source file bytes", 0, 2**53 - 1)
    names = [file["name"].encode() for file in value["files"]]
    _require(names == sorted(set(names)), "source files are not sorted by name")


def _tensors(descriptions, config, weights):
    _require(isinstance(descriptions, list), "tensors is not an array")
    expected = tensor_shapes(config)
    for description in descriptions:
        _members(description, "tensor", "name kind shape exponent offset bytes")
        _require(isinstance(description["name"], str), "tensor without a name")
    names = [description["name"] for description in descriptions]
    _require(names == sorted(expected), "tensors are not those of the architecture, sorted by name")
    tensors, extents = {}, []
    for description in descriptions:
        name = description["name"]
        kind, shape = expected[name]
        _require(description["kind"] == kind and description["shape"] == shape, f"{name} is not {kind} {shape}")
        exponent = _integer(description["exponent"], f"{name} exponent", -256, 256)
        offset = _integer(description["offset"], f"{name} offset", 0, len(weights))
        length = _integer(description["bytes"], f"{name} bytes", 0, len(weights) - offset)
        _require(offset % pack.ALIGNMENT == 0, f"{name} is not at a multiple of 64")
        extents.append((offset, offset + length, name))
        tensors[name] = _tensor(kind, shape, exponent, weights[offset : offset + length], name)
    end = 0
    for start, stop, name in sorted(extents):
        _require(start >= end, f"{name} overlaps another tensor")
        _require(not any(weights[end:start]), f"the gap before {name} is not zero")
        end = stop
    _require(not any(weights[end:]), "the bytes after the last tensor are not zero")
    return tensors


def _tensor(kind, shape, exponent, data, name):
    if kind == "gain":
        _require(len(data) == 4 * shape[0], f"{name} has {len(data)} bytes")
        values = np.frombuffer(data, "<i4").astype(np.int64)
        _require(np.abs(values).max() < 2**23, f"{name}: a gain reaches 2^23")
        return Gain(values, exponent)
    rows, columns = shape
    dtype = np.dtype("<i1" if kind == "linear8" else "<i2")
    used = rows * columns * dtype.itemsize
    start = pack.aligned(used)
    _require(len(data) == start + 4 * rows, f"{name} has {len(data)} bytes, not {start + 4 * rows}")
    _require(not any(data[used:start]), f"{name}: padding is not zero")
    multipliers = np.frombuffer(data, "<u4", rows, start)
    _require(multipliers.max() < 2**24, f"{name}: a multiplier reaches 2^24")
    return Matrix(np.frombuffer(data, dtype, rows * columns).reshape(shape), multipliers, exponent)


def _tensor_bytes(tensor):
    if isinstance(tensor, Gain):
        return "gain", [len(tensor.values)], tensor.values.astype("<i4").tobytes()
    narrow = tensor.weights.dtype.itemsize == 1
    body = tensor.weights.astype("<i1" if narrow else "<i2").tobytes()
    body += bytes(pack.aligned(len(body)) - len(body)) + tensor.multipliers.astype("<u4").tobytes()
    return "linear8" if narrow else "table16", list(tensor.weights.shape), body


def save(path, config, tensors, frequencies, tokens, tokenizer, chat_template, source_files):
    """Writes a model as a pack: tensors in the order of their names, each at the next multiple of 64."""
    descriptions, chunks, end = [], [], 0
    for name in sorted(tensors):
        kind, shape, body = _tensor_bytes(tensors[name])
        offset = pack.aligned(end)
        chunks += [bytes(offset - end), body]
        end = offset + len(body)
        descriptions.append(
            {
                "name": name,
                "kind": kind,
                "shape": shape,
                "exponent": int(tensors[name].exponent),
                "offset": offset,
                "bytes": len(body),
            }
        )
    blobs = {"weights": b"".join(chunks), "tokenizer": tokenizer, "chatTemplate": chat_template}
    manifest = canonical.encode(
        {
            "schema": "evident.model.v1",
            "arithmetic": "evident.int.v1",
            "architecture": "llama",
            "config": dict(vars(config)),
            "rope": {"frequencies": [f"{f:016x}" for f in frequencies]},
            "tokens": tokens,
            "tensors": descriptions,
            "blobs": {name: None if blob is None else described(blob) for name, blob in blobs.items()},
            "source": {"format": "safetensors", "files": source_files},
        }
    )
    pack.write(path, [manifest] + [blob for blob in blobs.values() if blob is not None])
    return load(path)


def described(blob):
    return {"digest": "sha256:" + canonical.sha256(blob).hex(), "bytes": len(blob)}
