"""Conversion of numbers by the binary64 rules of model.md."""

import math

import numpy as np

from .canonical import Rejection
from .weights import GROUP, Grouped, Matrix, Vector

LOG2_E = 1.4426950408889634


def round_away(x):
    """Round to nearest, ties away from zero. The fraction x - trunc(x) is exact in binary64."""
    whole = np.trunc(x)
    return whole + np.where(np.abs(x - whole) >= 0.5, np.sign(x), 0.0)


def finite(name, x):
    """As binary64, or `Rejection`."""
    flat = np.asarray(x, dtype=np.float64)
    if not np.isfinite(flat).all():
        raise Rejection(f"{name}: element {int(np.argmin(np.isfinite(flat.ravel())))} is not finite")
    return flat


def _exponent(largest, bits, zero=0):
    """The integer f with largest · 2^f in [2^(bits-1), 2^bits)."""
    return zero if largest == 0 else bits - math.frexp(largest)[1]


def _multipliers(scale):
    """(M, f) of the rows' real scales."""
    exponent = _exponent(scale.max(), 24)
    return np.minimum(round_away(np.ldexp(scale, exponent)), 2**24 - 1).astype(np.int64), exponent


def matrix(name, x, limit, factor=1.0, kind=None):
    """linear8 (limit 127), linear16 or table16 (32767); `factor` multiplies the scales of the rows."""
    x = finite(name, x)
    m = np.abs(x).max(axis=1)
    integers = round_away((x * float(limit)) / np.where(m == 0, 1.0, m)[:, None])
    multipliers, exponent = _multipliers(m / float(limit) * factor)
    return Matrix(integers.astype(np.int8 if limit == 127 else np.int16), multipliers, exponent, kind)


def _vector(kind, x, zero, most):
    exponent = min(_exponent(np.abs(x).max(), 23, zero), most)
    values = np.clip(round_away(np.ldexp(x, exponent)), 1 - 2**23, 2**23 - 1)
    return Vector(kind, values.astype(np.int64), exponent)


def gain(name, x, factor=1.0):
    """`factor` is the query factor of each element, where the gain is that of the queries' norm."""
    return _vector("gain", finite(name, x) * math.sqrt(len(x)) * factor, 0, 256)


def bias(name, x, factor=1.0):
    return _vector("bias", finite(name, x) * factor, 40, 40)


def linear4(name, x, factor=1.0):
    """4 bits from floating point: for each group of 32 the best of 17 scales."""
    x = finite(name, x)
    groups = x.reshape(len(x), -1, GROUP)
    quants, scales = _best_scales(groups)
    codes, row_scales = _codes(scales, None)
    multipliers, exponent = _multipliers(row_scales * factor)
    return Grouped(quants.reshape(x.shape), codes, None, multipliers, exponent)


def _best_scales(x):
    """(u, σ) of groups [..., 32]."""
    first = np.abs(x).argmax(axis=-1)[..., None]
    largest = np.take_along_axis(x, first, axis=-1)[..., 0]
    best = np.full(largest.shape, -1.0)
    quants, scales = np.full(x.shape, 8, dtype=np.uint8), np.zeros(largest.shape)
    for c in range(17):
        s = np.where(largest == 0, 1.0, -largest / (8 - c / 8))
        q = np.clip(round_away(x / s[..., None]), -8, 7)
        numerator, denominator = np.zeros(largest.shape), np.zeros(largest.shape)
        for i in range(GROUP):
            numerator += x[..., i] * q[..., i]
            denominator += q[..., i] * q[..., i]
        safe = np.where(largest == 0, 1.0, denominator)
        quality = numerator * numerator / safe
        better = (quality > best) & (largest != 0)
        best = np.where(better, quality, best)
        scales = np.where(better, numerator / safe, scales)
        quants = np.where(better[..., None], q + 8, quants).astype(np.uint8)
    return quants, scales


def _codes(scales, minimums):
    """Codes g [rows, groups] of the scales, b of the minimums / 16 where there are any, and the rows' 2^-k."""
    numbers = [scales] if minimums is None else [scales, minimums / 16]
    largest = np.max([np.abs(part).max(axis=1) for part in numbers], axis=0)
    k = np.where(largest == 0, 0, 26 - np.frexp(largest)[1])
    row_scales = np.where(largest == 0, 0.0, np.ldexp(1.0, -k))
    codes = [code(np.ldexp(np.abs(part), k[:, None]), part < 0) for part in numbers]
    return (*codes, row_scales)


def code(v, negative):
    """The 16 bits of a multiplier of magnitude v < 2^26."""
    t = np.maximum(0, np.frexp(v)[1] - 1 - 10)
    mantissa = round_away(np.ldexp(v, -t)).astype(np.int64)
    t, mantissa = np.where(mantissa == 2048, t + 1, t), np.where(mantissa == 2048, 1024, mantissa)
    t, mantissa = np.where(t > 15, 15, t), np.where(t > 15, 2047, mantissa)
    return (np.where(negative & (mantissa != 0), 1 << 15, 0) | t << 11 | mantissa).astype(np.uint16)


def from_blocks(quants, scales, minimums, factor=1.0):
    """linear4 (no minimums) or linear4m from the quants, σ and β of a GGUF tensor's groups."""
    *codes, row_scales = _codes(scales, minimums)
    multipliers, exponent = _multipliers(row_scales * factor)
    return Grouped(quants, codes[0], codes[1] if minimums is not None else None, multipliers, exponent)


def round_to_integer(x):
    """round of model.md of one binary64 number."""
    return int(round_away(np.float64(x)))


def epsilon(eps, width):
    """ε of a norm over `width` elements at F = 20."""
    return max(1, round_to_integer(math.ldexp(float(eps) * width, 40)))
