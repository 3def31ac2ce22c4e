"""The tables of arithmetic.md section 5, by integer arithmetic only.

Cosine, sigmoid, tanh and erf are computed in fixed point with `BITS` fraction bits; the accumulated error is
below 2^-200, and every entry is checked to be much farther than that from a rounding tie.
"""

import hashlib
import sys
from math import isqrt

import numpy as np

BITS = 256
ONE = 1 << BITS
ERROR = 1 << 56  # 2^-200: a generous bound on the accumulated error, in fixed point


def _multiply(a, b):
    return (a * b) >> BITS


def pi_fixed(bits=BITS):
    """Pi with `bits` fraction bits by Machin's formula, correct to a few units in the last place."""
    guard = bits + 32

    def arctan_inverse(n):
        power = (1 << guard) // n
        total, k, square = power, 1, n * n
        while power:
            power //= square
            k += 2
            total += -(power // k) if k % 4 == 3 else power // k
        return total

    return (4 * (4 * arctan_inverse(5) - arctan_inverse(239))) >> 32


def _taylor(x, first, start, step, alternate):
    """first · Σ (±1)^n x^(n·step) · start! / (start + n·step)!"""
    factor = x if step == 1 else _multiply(x, x)
    term, total, n, sign = first, first, start, 1
    while True:
        term = _multiply(term, factor)
        for _ in range(step):
            n += 1
            term //= n
        if term == 0:
            return total
        sign = -sign if alternate else sign
        total += sign * term


def _nearest(value, scale=32768):
    """The integer nearest to scale · value; refuses anything that could be a tie."""
    product = scale * value
    result = (2 * product + ONE) // (2 * ONE)
    distance = abs(abs(product - result * ONE) - ONE // 2)
    assert distance > scale * ERROR, "tie"
    return result


def _cosine_table():
    angle = pi_fixed() * 2 // 65536
    step_cos = _taylor(angle, ONE, 0, 2, True)
    step_sin = _taylor(angle, angle, 1, 2, True)
    table = np.zeros(65536, dtype=np.int64)
    cos, sin = ONE, 0
    for i in range(65536):
        table[i] = _nearest(cos)
        cos, sin = (
            _multiply(cos, step_cos) - _multiply(sin, step_sin),
            _multiply(sin, step_cos) + _multiply(cos, step_sin),
        )
    assert abs(cos - ONE) < ERROR and abs(sin) < ERROR, "one full turn must return to the start"
    return table


def _sigmoid_table():
    # 1 / (1 + exp(-i/256)) = E / (E + 1) with E = exp(i/256); E is at most exp(16).
    step = _taylor(ONE // 256, ONE, 0, 1, False)
    table = np.zeros(4097, dtype=np.int64)
    power = ONE
    for i in range(4097):
        table[i] = 16384 if i == 0 else _nearest((power * ONE) // (power + ONE))
        power = _multiply(power, step)
    return table


def _exponential(x):
    """exp(x) of a fixed-point x ≥ 0, relative error below 2^-200: x / 2^n is summed and squared n times."""
    halvings = max(0, x.bit_length() - BITS + 8)
    guard = 64 + 2 * halvings  # every squaring doubles the relative error
    one = 1 << (BITS + guard)
    small = (x << guard) >> halvings
    term, total, n = one, one, 0
    while term:
        n += 1
        term = (term * small) // (n * one)
        total += term
    for _ in range(halvings):
        total = (total * total) // one
    return total >> guard


def _tanh(x):
    """tanh of a fixed-point x ≥ 0: (E - 1) / (E + 1) with E = exp(2x)."""
    power = _exponential(2 * x)
    return ((power - ONE) * ONE) // (power + ONE)


def _erf(x):
    """erf of a fixed-point x ≥ 0: 2/√π · exp(-x²) · Σ 2^n x^(2n+1) / (1 · 3 … (2n+1)), all terms positive."""
    square = _multiply(x, x)
    term, total, n = x, x, 0
    while term:
        n += 1
        term = _multiply(term, 2 * square) // (2 * n + 1)
        total += term
    root_pi = isqrt(pi_fixed(BITS) << BITS)
    return (2 * total * ONE // _exponential(square)) * ONE // root_pi


def _gelu_tanh_table():
    root = isqrt((2 << (3 * BITS)) // pi_fixed(BITS))  # √(2/π)
    table = np.zeros(4097, dtype=np.int64)
    for i in range(4097):
        # x + 0.044715 x³ with x = i / 256 is an exact fraction.
        cubic = ((i * 256**2 * 10**6 + 44715 * i**3) << BITS) // (256**3 * 10**6)
        table[i] = 16384 if i == 0 else _nearest(ONE + _tanh(_multiply(root, cubic)), 16384)
    return table


def _gelu_erf_table():
    root = isqrt(2 << (2 * BITS))
    table = np.zeros(4097, dtype=np.int64)
    for i in range(4097):
        table[i] = 16384 if i == 0 else _nearest(ONE + _erf((i * ONE * ONE // 256) // root), 16384)
    return table


def _tanh_table():
    return np.array([0] + [_nearest(_tanh(i * ONE // 512), 2**24) for i in range(1, 4097)], dtype=np.int64)


def _rs(x, s):
    return x if s == 0 else (x + (1 << (s - 1))) >> s


def _power_table():
    table = np.zeros(4096, dtype=np.int64)
    for f in range(4096):
        x = 8 * f
        h1 = 1748 - _rs(224 * x, 15)
        h2 = 7853 - _rs(h1 * x, 15)
        h3 = 22713 - _rs(h2 * x, 15)
        table[f] = 32768 - _rs(h3 * x, 15)
    return table


# The name in the specification and the method of each table.
TABLES = {
    "COSINE": ("C", _cosine_table),
    "SIGMOID": ("Σ16", _sigmoid_table),
    "POWER": ("T", _power_table),
    "GELU_TANH": ("Φt16", _gelu_tanh_table),
    "GELU_ERF": ("Φe16", _gelu_erf_table),
    "TANH": ("H", _tanh_table),
}


def __getattr__(name):
    """Each table is computed when it is first asked for: together they take a second, and few models need all."""
    if name not in TABLES:
        raise AttributeError(name)
    table = globals()[name] = TABLES[name][1]()
    return table


def digests():
    """SHA-256 over the little-endian int32 bytes of each table, as in section 10."""
    computed = {symbol: getattr(sys.modules[__name__], name) for name, (symbol, _) in TABLES.items()}
    return {symbol: hashlib.sha256(table.astype("<i4").tobytes()).hexdigest() for symbol, table in computed.items()}
