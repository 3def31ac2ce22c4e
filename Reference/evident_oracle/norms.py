"""4.2, 4.11, 4.12 and 4.17 of arithmetic.md: what brings a vector to a given length."""

from math import isqrt

import numpy as np

from .integers import DIV, RS, SH, bit_length, quantise, smallest_shift

RESIDUAL_LIMIT = 2**46 - 1


def _unit(x, addend):
    """Steps 1 to 4 of 4.2 over rows: n, scaled to the length 2^24. `addend(row, k1)` is what S has beyond Σ u²."""
    k1 = np.maximum(0, bit_length(np.abs(x).max(axis=-1)) - 24)
    u = RS(x, k1[:, None])
    squares = (u * u).sum(axis=-1)
    r, a = np.zeros(len(x), dtype=np.int64), np.zeros(len(x), dtype=np.int64)
    for row, square in enumerate(squares):
        total = max(1, int(square) + addend(row, int(k1[row])))
        a[row] = -(-total.bit_length() // 2)
        r[row] = isqrt((1 << (2 * int(a[row]) + 30)) // total)
    return SH(u * r[:, None], (9 - a)[:, None])


def rms_norm(x, gain, epsilon):
    """4.2: residual [n, d] → act16."""
    n = _unit(x, lambda row, k1: epsilon >> (2 * k1))
    q, k = quantise(n * gain.values, 32767)
    return q, k - 24 - gain.exponent


def norm_heads(t, e, heads, gain, epsilon, fraction_bits):
    """4.11: act32 [n, heads · w] → act32."""
    rows, e_row = t.reshape(len(t) * heads, -1), np.repeat(e, heads)

    def addend(row, k1):
        # 2^-2x for x > 300 is below every ε, for x < -300 above the cap.
        exponent = min(max(-2 * (int(e_row[row]) + k1 + fraction_bits), -600), 600)
        return min(epsilon << exponent if exponent >= 0 else epsilon >> -exponent, 2**62 - 1)

    n = _unit(rows, addend)
    limit = 2**30 - 1
    t = np.clip(RS(n * gain.values, 17), -limit, limit).reshape(t.shape)
    return t, np.full(len(t), -7 - gain.exponent)


def layer_norm(x, gain, bias, epsilon, fraction_bits):
    """4.12: residual → residual."""
    centred = x - DIV(x.sum(axis=-1, keepdims=True), x.shape[-1])
    n = _unit(centred, lambda row, k1: epsilon >> (2 * k1))
    scaled = np.clip(SH(n * gain.values, fraction_bits - 24 - gain.exponent), -(2**48), 2**48)
    shifted = np.clip(SH(bias.values, fraction_bits - bias.exponent), -(2**48), 2**48)
    return np.clip(scaled + shifted, -RESIDUAL_LIMIT, RESIDUAL_LIMIT)


def embedding(x, pooling, normalised, dimensions, fraction_bits):
    """4.17: residuals [n, d] of a whole sequence → (vector [dimensions], exponent)."""
    pooled = {"mean": lambda: DIV(x.sum(axis=0), len(x)), "cls": lambda: x[0], "last": lambda: x[-1]}[pooling]()
    p = pooled[:dimensions]
    if normalised:
        return _unit(p[None], lambda row, k1: 0)[0], -24
    k = int(smallest_shift(np.abs(p).max(), 2**24))
    return RS(p, k), k - fraction_bits
