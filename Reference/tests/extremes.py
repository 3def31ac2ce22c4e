"""Random integers that reach the ends of their ranges."""

import numpy as np

from evident_oracle.weights import Grouped, Matrix

ROUNDS = 40


def scaled(rng, shape, low_bits, high_bits):
    """Integers whose magnitudes spread over many binary orders, including the extremes."""
    bits = rng.integers(low_bits, high_bits + 1, size=shape)
    values = np.minimum(rng.integers(0, 2**62, size=shape) >> (62 - bits), 2**high_bits - 1)
    values = np.where(rng.random(shape) < 0.05, 2**high_bits - 1, values)
    return np.where(rng.random(shape) < 0.5, -values, values).astype(np.int64)


def matrix(rng, rows, columns, extreme, kind="linear8"):
    largest, dtype = (128, np.int8) if kind == "linear8" else (2**15, np.int16)
    weights = rng.integers(-largest, largest, size=(rows, columns)).astype(dtype)
    multipliers = rng.integers(0, 2**24, size=rows)
    if extreme:
        weights[0] = -largest
        multipliers[0] = 2**24 - 1
    return Matrix(weights, multipliers, int(rng.integers(-20, 40)), kind)


def grouped(rng, rows, groups, minimums, extreme):
    """Any 16 bits are a legal code of a multiplier or a minimum."""
    quants = rng.integers(0, 16, size=(rows, 32 * groups)).astype(np.uint8)
    codes = rng.integers(0, 2**16, (2, rows, groups)).astype(np.uint16)
    multipliers = rng.integers(0, 2**24, size=rows)
    if extreme:
        # The largest weight that the format can express: 15 · G + |B|.
        quants[0], codes[0, 0], codes[1, 0], multipliers[0] = 15, 0x7FFF, 0xFFFF, 2**24 - 1
    return Grouped(quants, codes[0], codes[1] if minimums else None, multipliers, int(rng.integers(-20, 60)))


def real(q, e):
    return np.ldexp(np.asarray(q, dtype=np.float64), np.asarray(e)[..., None])


def relative(got, expected):
    """The error of each row against the row's largest magnitude."""
    return (np.abs(got - expected).max(axis=-1) / np.abs(expected).max(axis=-1)).max()
