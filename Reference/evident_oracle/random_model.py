"""Random tiny models in the format of model.md, so that implementations can be compared on odd shapes."""

import math

import numpy as np

from . import model, tables


def _matrix(rng, shape, dtype, scale_bits):
    """Weights over the whole range of the type, lowest value included; multipliers over a factor of four."""
    limits = np.iinfo(dtype)
    weights = rng.integers(limits.min, limits.max + 1, size=shape).astype(dtype)
    multipliers = rng.integers(2**22, 2**24, size=shape[0])
    # One dead row and one small row: both are legal and both have gone wrong in someone's kernel.
    multipliers[rng.integers(shape[0])] = 0
    multipliers[rng.integers(shape[0])] = 3
    return model.Matrix(weights, multipliers.astype(np.int64), 24 + scale_bits)


def make(path, seed, config, massive=False):
    """Writes a pack; the same arguments give the same bytes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    tensors = {}
    for name, (kind, shape) in sorted(model.tensor_shapes(config).items()):
        if kind == "gain":
            values = rng.integers(-(2**23) + 1, 2**23, size=shape[0])
            tensors[name] = model.Gain(values, 22 - round(math.log2(config.hiddenSize) / 2))
        elif kind == "table16":
            tensors[name] = _matrix(rng, shape, np.int16, 14)
        else:
            # Rows of about unit length: a uniform int8 has a deviation of 74, near 2^6.
            bits = 6 + round(math.log2(shape[1]) / 2)
            if name.endswith("q_proj"):
                bits += round(math.log2(config.headDimension) / 2) - 1
            tensors[name] = _matrix(rng, shape, np.int8, bits)
        if massive and name.endswith(("up_proj", "embed_tokens")):
            rows = rng.choice(shape[0], size=max(1, shape[0] // 16), replace=False)
            others = np.setdiff1d(np.arange(shape[0]), rows)
            tensors[name].multipliers[others] >>= 7
            tensors[name] = model.Matrix(tensors[name].weights, tensors[name].multipliers, tensors[name].exponent - 7)
    return model.save(
        path,
        config,
        tensors,
        tables.frequencies(10000.0, config.headDimension // 2),
        {"endOfSequence": [0], "beginOfSequence": None},
        b"{}",
        None,
        [],
    )
