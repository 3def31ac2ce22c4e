"""Random tiny models in the format of model.md, so that implementations can be compared on odd shapes."""

import math

import numpy as np

from . import architectures, conversion, frequencies, model
from .architectures import Config
from .weights import GROUP, Grouped, Matrix, Vector, decoded_scale

FORMATS = ("8bit", "16bit", "4bit", "4bit-minimums", "mixed")
LARGEST_CODE = 15 << 11 | 2047


def base_config(architecture, **sizes):
    """A configuration with what the architecture requires and nothing else."""
    d, width = sizes["hiddenSize"], sizes["headDimension"]
    bits = sizes.get("residualFractionBits", 20)

    def epsilon(n):
        return max(1, n * 4**bits // 100000)

    members = {"residualFractionBits": bits, "normEpsilon": epsilon(d), "tiedEmbeddings": False, **sizes}
    required, _ = architectures.allowed_members(architecture)
    needed = {"headNormEpsilon": epsilon(width), "experts": 5, "expertsPerToken": 2, "pooling": "mean"}
    return Config(**members, **{name: value for name, value in needed.items() if name in required})


def varied_config(architecture, config, seed):
    """The configuration with a random choice of the optional members that the architecture allows."""
    rng = np.random.Generator(np.random.PCG64([seed, 1, architectures.ARCHITECTURES.index(architecture)]))
    required, allowed = architectures.allowed_members(architecture)

    def some(values, most=None):
        count = int(rng.integers(1, (most or len(values)) + 1))
        return sorted(rng.choice(values, count, replace=False).tolist())

    layers = list(range(config.layers))
    projections = list(architectures.ATTENTION_PROJECTIONS if config.experts else architectures.PROJECTIONS)
    if architecture in architectures.ENCODERS:
        projections.remove("gate_proj")
    # Scores of random models are a few units of log2, logits likewise: caps that bend them.
    choices = {
        "activation": lambda: str(rng.choice(["gelu", "geluTanh"])),
        "attentionSoftcap": lambda: int(rng.integers(2**12, 2**16)),
        "biases": lambda: some(projections),
        "embeddingScale": lambda: int(rng.integers(2**15, 2**18)),
        "expertSharesOfAll": lambda: True,
        "logitsSoftcap": lambda: int(rng.integers(2**16, 2**20)),
        "normalised": lambda: True,
        "ropelessLayers": lambda: some(layers),
    }
    members = {name: choices[name]() for name in sorted(allowed & set(choices)) if rng.random() < 0.75}
    if "window" in allowed and rng.random() < 0.75:
        members |= {"window": int(rng.integers(1, 12)), "localLayers": some(layers)}
    if config.experts is not None:
        experts = int(rng.integers(1, 9))
        members |= {"experts": experts, "expertsPerToken": int(rng.integers(1, experts + 1))}
    if "pooling" in required:
        members["pooling"] = str(rng.choice(["cls", "last", "mean"]))
    return Config(**{**config.members(), **members})


def _multipliers(rng, rows):
    """Over a factor of four; one dead row and one small row: both are legal, both went wrong in someone's kernel."""
    multipliers = rng.integers(2**22, 2**24, size=rows)
    multipliers[rng.integers(rows)] = 0
    multipliers[rng.integers(rows)] = 3
    return multipliers.astype(np.int64)


def _matrix(rng, shape, dtype, scale_bits, kind=None):
    """Weights over the whole range of the type, lowest value included."""
    limits = np.iinfo(dtype)
    weights = rng.integers(limits.min, limits.max + 1, size=shape).astype(dtype)
    return Matrix(weights, _multipliers(rng, shape[0]), 24 + scale_bits, kind)


def _grouped(rng, shape, minimums, scale_bits):
    """Groups over four binary orders, some negative, some zero, one at the limit of the format."""
    groups = (shape[0], shape[1] // GROUP)
    quants = rng.integers(0, 16, size=shape).astype(np.uint8)
    codes = (rng.integers(12, 16, groups) << 11 | rng.integers(1024, 2048, groups)).astype(np.int64)
    codes = np.where(rng.random(groups) < 0.25, codes | 1 << 15, codes)
    codes = np.where(rng.random(groups) < 0.05, rng.choice([0, 1 << 15, 3], groups), codes)
    codes[rng.integers(groups[0]), rng.integers(groups[1])] = LARGEST_CODE
    least = None
    if minimums:
        # Around the middle of a group, so that its weights have both signs; here and there far from it.
        middle = 7.5 * decoded_scale(codes) / 16 * rng.uniform(0.8, 1.2, groups)
        least = np.array(conversion.code(np.minimum(np.abs(middle), 2.0**26 - 1), middle < 0))
        least = np.where(rng.random(groups) < 0.02, LARGEST_CODE | 1 << 15, least).astype(np.uint16)
    # Such integers have a deviation of about 2^26, where int8 has 2^6.
    return Grouped(quants, codes.astype(np.uint16), least, _multipliers(rng, shape[0]), 24 + 20 + scale_bits)


def _linear(rng, name, shape, kinds, weight_format, config):
    # Rows of about unit length: a uniform int8 has a deviation of 74, near 2^6.
    bits = 6 + round(math.log2(shape[1]) / 2)
    if name.endswith("q_proj") and config.headNormEpsilon is None:
        bits += round(math.log2(config.headDimension) / 2) - 1
    if name.endswith("router"):
        bits -= 1
    kind = {
        "8bit": "linear8", "4bit": "linear4", "4bit-minimums": "linear4m", "16bit": "linear16",
        "mixed": str(rng.choice(sorted(kinds))),
    }[weight_format]
    if kind not in kinds or (kind in ("linear4", "linear4m") and shape[1] % GROUP):
        kind = "linear8"
    if kind == "linear16":
        return _matrix(rng, shape, np.int16, bits + 8, kind)
    return _matrix(rng, shape, np.int8, bits) if kind == "linear8" else _grouped(rng, shape, kind == "linear4m", bits)


def _vector(rng, name, shape, kind, config):
    width = round(math.log2(shape[0]) / 2)
    if kind == "bias":
        return Vector("bias", rng.integers(-(2**23) + 1, 2**23, size=shape[0]), int(rng.integers(21, 25)))
    # The gain of the queries' norm includes the query factor.
    small = round(math.log2(config.headDimension) / 2) - 1 if name.endswith("q_norm") else 0
    return Vector("gain", rng.integers(-(2**23) + 1, 2**23, size=shape[0]), 22 - width + small)


def _tensor(rng, name, kinds, shape, weight_format, config):
    if kinds == ("table16",):
        return _matrix(rng, shape, np.int16, 14)
    if len(shape) == 1:
        return _vector(rng, name, shape, kinds[0], config)
    return _linear(rng, name, shape, kinds, weight_format, config)


def _massive(rng, tensor):
    rows = rng.choice(tensor.shape[0], size=max(1, tensor.shape[0] // 16), replace=False)
    tensor.multipliers[np.setdiff1d(np.arange(tensor.shape[0]), rows)] >>= 7
    tensor.exponent -= 7


def make(path, seed, config, massive=False, architecture="llama", weight_format="8bit", rotating=None):
    """Writes a pack; the same arguments give the same bytes. `rotating` is how many elements of a head rotate."""
    rng = np.random.Generator(np.random.PCG64([seed, architectures.ARCHITECTURES.index(architecture)]))
    tensors = {}
    for name, (kinds, shape) in sorted(architectures.tensor_shapes(architecture, config).items()):
        tensors[name] = _tensor(rng, name, kinds, shape, weight_format, config)
        if massive and name.endswith(("up_proj", "embed_tokens")):
            _massive(rng, tensors[name])
    encoder = architecture in architectures.ENCODERS
    half = 0 if encoder else (config.headDimension if rotating is None else rotating) // 2
    return model.save(
        path,
        architecture,
        config,
        tensors,
        frequencies.frequencies(10000.0, half) if half else [],
        {"endOfSequence": [] if encoder else [0], "beginOfSequence": None},
        b"{}",
        None,
        [],
        frequencies.frequencies(100.0, half) if architecture == "gemma3" else None,
    )
