"""The operators of arithmetic.md section 4, over batches of positions.

Every tensor is an int64 array whose first axis is the position; exponents are int64 arrays of the same
leading shape. int64 suffices because section 9 bounds every quantity below 2^63; where a true left shift
could exceed that, `SH` saturates at ±2^62, which is allowed because its callers clamp to at most 2^46.
"""

from math import isqrt

import numpy as np

from . import tables

RESIDUAL_LIMIT = 2**46 - 1
SCORE_FRACTION_BITS = 12
SCORE_LIMIT = 2**30 - 1
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
    """floor((2a + b) / (2b)) for Python integers or object arrays, rounding half up."""
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


def quantise(v, limit):
    """Q(v, L) over the last axis: (q, k) with the smallest k ≥ 0 for which RS(max |v|, k) ≤ L."""
    m = np.abs(v).max(axis=-1)
    k = np.zeros(m.shape, dtype=np.int64)
    while True:
        exceeds = RS(m, k) > limit
        if not exceeds.any():
            return RS(v, k[..., None]), k
        k += exceeds


def embed(tokens, table, fraction_bits):
    """4.1: rows of a table16 or of the tied linear8 head as residuals."""
    tokens = np.asarray(tokens)
    product = table.weights[tokens].astype(np.int64) * table.multipliers[tokens][:, None]
    return np.clip(SH(product, fraction_bits - table.exponent), -RESIDUAL_LIMIT, RESIDUAL_LIMIT)


def rms_norm(x, gain, epsilon):
    """4.2: residual [n, d] → act16."""
    m = np.abs(x).max(axis=-1)
    k1 = np.maximum(0, bit_length(m) - 24)
    u = RS(x, k1[:, None])
    squares = (u * u).sum(axis=-1)
    r = np.zeros(len(x), dtype=np.int64)
    a = np.zeros(len(x), dtype=np.int64)
    for position, square in enumerate(squares):
        total = int(square) + (epsilon >> (2 * int(k1[position])))
        if total == 0:
            continue
        half_length = -(-total.bit_length() // 2)
        a[position] = half_length
        r[position] = isqrt((1 << (2 * half_length + 30)) // total)
    n = SH(u * r[:, None], (9 - a)[:, None])
    q, k = quantise(n * gain.values, 32767)
    return q, k - 24 - gain.exponent


def linear_shift(weight):
    """The static shift s of 4.3."""
    bound = 32767 * 128 * weight.weights.shape[1] * int(weight.multipliers.max())
    s = 0
    while bound > (2**30 - 1) << s:
        s += 1
    return s


def linear(q, e, weight):
    """4.3: act16 [n, in] → act32 [n, out].

    The product runs in binary64: every partial sum is an integer below 2^22 · 65535 < 2^53, so it is exact
    in whatever order the library adds.
    """
    y = (q.astype(np.float64) @ weight.transposed()).astype(np.int64)
    s = linear_shift(weight)
    return RS(y * weight.multipliers, s), e + s - weight.exponent


def rope(t, e, positions, phases, head_dimension):
    """4.4: act32 [n, heads · hd] → act32; `phases` are the φ_i as Python integers."""
    half = head_dimension // 2
    index = np.array(
        [[((((p * f) % 2**64) + 2**47) // 2**48) % 2**16 for f in phases] for p in positions], dtype=np.int64
    ).reshape(len(positions), 1, half)
    cos = tables.COSINE[index]
    sin = tables.COSINE[(index - 16384) % 65536]
    heads = t.reshape(len(t), -1, head_dimension)
    a, b = heads[..., :half], heads[..., half:]
    turned = np.concatenate([RS(a * cos - b * sin, 15), RS(b * cos + a * sin, 15)], axis=-1)
    return turned.reshape(t.shape), e


def query_limit(head_dimension):
    """The largest 2^b - 1, b ≤ 12, with L · 4095 · hd < 2^31 (4.5)."""
    return max(2**b - 1 for b in range(13) if (2**b - 1) * 4095 * head_dimension < 2**31)


def quantise_heads(t, e, head_dimension, limit):
    """4.5: act32 [n, heads · hd] → heads16 ([n, heads, hd], [n, heads])."""
    q, k = quantise(t.reshape(len(t), -1, head_dimension), limit)
    return q, e[:, None] + k


def _power_weight(delta, extra):
    """RS(T(fp) · 2^9, ip + extra) for δ = 4096 · ip + fp."""
    return RS(tables.POWER[delta % 4096] << 9, delta // 4096 + extra)


def attention(queries, keys, values, first_position):
    """4.6: heads16 queries [n, heads, hd], keys and values [context, kv heads, hd] → heads32."""
    (q, e_q), (k, e_k), (v, e_v) = queries, keys, values
    n, heads, head_dimension = q.shape
    context, kv_heads = e_k.shape
    group = heads // kv_heads
    visible = np.arange(context)[None, :] <= first_position + np.arange(n)[:, None]
    out = np.zeros((n, heads, head_dimension), dtype=np.int64)
    exponents = np.zeros((n, heads), dtype=np.int64)
    for h in range(heads):
        g = h // group
        # Exact in binary64: |s| < 2^31.
        s = (q[:, h].astype(np.float64) @ k[:, g].astype(np.float64).T).astype(np.int64)
        b = SH(s, e_q[:, h, None] + e_k[None, :, g] + SCORE_FRACTION_BITS)
        b = np.clip(b, -SCORE_LIMIT, SCORE_LIMIT)
        largest = np.where(visible, b, -(2**31)).max(axis=-1, keepdims=True)
        delta = np.where(visible, largest - b, 0)
        p = np.where(visible, _power_weight(delta, 0), 0)
        total = p.sum(axis=-1)
        e_v_visible = np.where(visible, e_v[None, :, g], -(2**31))
        e = e_v_visible.max(axis=-1)
        extra = np.where(visible, e[:, None] - e_v[None, :, g], 0)
        weights = np.where(visible, _power_weight(delta, extra), 0)
        # Split p' = high · 2^12 + low so that binary64 products stay exact: 2^13 · 2^12 · 2^20 < 2^53.
        value = v[:, g].astype(np.float64)
        high = ((weights >> 12).astype(np.float64) @ value).astype(np.int64)
        low = ((weights & 4095).astype(np.float64) @ value).astype(np.int64)
        a = (high << 12) + low
        length = bit_length(total)
        reciprocal = np.array([(1 << (int(l) + 15)) // int(w) for l, w in zip(length, total)], dtype=np.int64)
        out[:, h] = RS(RS(a, (length - 18)[:, None]) * reciprocal[:, None], 17)
        exponents[:, h] = e - 16
    return out, exponents


def merge_heads(t, e):
    """4.7: heads32 → act16."""
    largest = e.max(axis=-1)
    z = RS(t, (largest[:, None] - e)[..., None]).reshape(len(t), -1)
    q, k = quantise(z, 32767)
    return q, largest + k


def swiglu(g, e_g, u, e_u):
    """4.8: two act32 → act16."""
    x = np.clip(SH(g, e_g[:, None] + 12), -65535, 65535)
    magnitude = np.abs(x)
    i, r = magnitude // 16, magnitude % 16
    low, high = tables.SIGMOID[i], tables.SIGMOID[i + 1]
    sigma = low + RS((high - low) * r, 4)
    sigma = np.where(x < 0, 32768 - sigma, sigma)
    q, k = quantise(RS(g * sigma, 15) * u, 32767)
    return q, e_g + e_u + k


def add(x, t, e, fraction_bits):
    """4.9: residual + act32 → residual."""
    return np.clip(x + SH(t, (e + fraction_bits)[:, None]), -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
