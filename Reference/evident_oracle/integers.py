"""Section 1 of arithmetic.md over numpy arrays.

int64 suffices because section 9 bounds every quantity below 2^63; where a true left shift could exceed that,
`SH` saturates at ±2^62, which is allowed because its callers clamp to at most 2^48.
"""

import numpy as np

SATURATED = np.int64(2**62)


def RS(x, s):
    """floor((x + 2^(s-1)) / 2^s), rounding half up; for |x| < 2^62 and any s ≥ 0, elementwise."""
    x = np.asarray(x, dtype=np.int64)
    s = np.asarray(s, dtype=np.int64)
    if x.size and (x.max() >= SATURATED or x.min() <= -SATURATED):
        raise OverflowError("RS operand beyond 2^62")
    if s.size and s.min() < 0:
        raise ValueError("RS needs a shift of at least 0")
    within = np.minimum(s, 62)
    half = (np.int64(1) << within) >> 1
    # For s > 62 the sum x + 2^(s-1) lies in 0 … 2^s - 1 because |x| < 2^62, so the floor is 0.
    return np.where(s > 62, 0, (x + half) >> within)


def SH(x, n):
    """x · 2^n for n ≥ 0 (saturating at ±2^62), RS(x, -n) for n < 0, elementwise."""
    x = np.asarray(x, dtype=np.int64)
    n = np.asarray(n, dtype=np.int64)
    left = np.clip(n, 0, 62)
    # bitlen(|x|) + n ≤ 62 keeps |x| · 2^n below 2^62.
    fits = (x == 0) | (bit_length(np.abs(x)) + n <= 62)
    shifted = np.where(fits, x << np.where(fits, left, 0), np.sign(x) * SATURATED)
    return np.where(n >= 0, np.where(x == 0, 0, shifted), RS(x, np.maximum(-n, 0)))


def DIV(a, b):
    """floor((2a + b) / (2b)), rounding half up; of arrays |2a + b| and 2b stay below 2^63."""
    return (2 * a + b) // (2 * b)


def bit_length(x):
    """bitlen elementwise for 0 ≤ x < 2^63."""
    rest = np.array(x, dtype=np.int64)
    length = np.zeros(rest.shape, dtype=np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        large = rest >= np.int64(1) << step
        length += np.where(large, step, 0)
        rest = np.where(large, rest >> step, rest)
    return length + rest


def smallest_shift(m, limit):
    """The smallest k ≥ 0 with RS(m, k) ≤ limit, elementwise."""
    k = np.zeros(np.shape(m), dtype=np.int64)
    while True:
        exceeds = RS(m, k) > limit
        if not exceeds.any():
            return k
        k += exceeds


def quantise(v, limit):
    """Q(v, L) of section 2 over the last axis: (q, k)."""
    k = smallest_shift(np.abs(v).max(axis=-1), limit)
    return RS(v, k[..., None]), k


def power_of_two_shift(value, limit):
    """The smallest s ≥ 0 with value ≤ limit · 2^s, of Python integers."""
    s = 0
    while value > limit << s:
        s += 1
    return s
