"""The three tables of arithmetic.md section 5, by integer arithmetic only.

Cosine and sigmoid are computed in fixed point with `BITS` fraction bits; the accumulated error is below
2^-200, and every entry is checked to be much farther than that from a rounding tie.
"""

import hashlib

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


def _nearest(value):
    """The integer nearest to a fixed-point value; refuses anything that could be a tie."""
    doubled = 2 * value
    result = (doubled + ONE) // (2 * ONE)
    distance = abs(abs(value - result * ONE) - ONE // 2)
    assert distance > 32768 * ERROR, "tie"
    return result


def _cosine_table():
    angle = pi_fixed() * 2 // 65536
    step_cos = _taylor(angle, ONE, 0, 2, True)
    step_sin = _taylor(angle, angle, 1, 2, True)
    table = np.zeros(65536, dtype=np.int64)
    cos, sin = ONE, 0
    for i in range(65536):
        table[i] = _nearest(32768 * cos)
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
        table[i] = 16384 if i == 0 else _nearest(32768 * ((power * ONE) // (power + ONE)))
        power = _multiply(power, step)
    return table


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


COSINE = _cosine_table()
SIGMOID = _sigmoid_table()
POWER = _power_table()


def digests():
    """SHA-256 over the little-endian int32 bytes of each table, as in section 10."""
    named = {"C": COSINE, "Σ16": SIGMOID, "T": POWER}
    return {name: hashlib.sha256(table.astype("<i4").tobytes()).hexdigest() for name, table in named.items()}


def frequencies(theta, half):
    """φ_i = floor(2^64 · θ^(-2i/hd) / 2π) for i < half = hd/2; θ is a binary64 value taken exactly.

    θ^(-i/half) is found as an integer root: with θ = n/m it is the largest r with
    r^half · n^i ≤ 2^(P·half) · m^i, so no logarithm is needed. P fraction bits make it a floor in all but
    absurdly unlikely cases, which are refused.
    """
    numerator, denominator = float(theta).as_integer_ratio()
    precision = 192
    two_pi = 2 * pi_fixed(precision + 64)
    result = []
    for i in range(half):
        target = ((denominator**i) << (precision * half)) // (numerator**i)
        root = _integer_root(target, half)
        low = (root << (64 + precision + 64)) // ((two_pi + 8) << precision)
        high = ((root + 1) << (64 + precision + 64)) // ((two_pi - 8) << precision)
        if low != high:
            raise ArithmeticError(f"frequency {i} of theta {theta} is too close to an integer")
        result.append(low)
    return result


def _integer_root(value, degree):
    """The largest r with r^degree ≤ value, by Newton's method from above."""
    if degree == 1:
        return value
    r = 1 << -(-value.bit_length() // degree)
    while True:
        following = ((degree - 1) * r + value // r ** (degree - 1)) // degree
        if following >= r:
            return r
        r = following
