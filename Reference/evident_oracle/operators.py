"""The operators of arithmetic.md section 4 that are neither norms nor products with weights.

Every tensor is an int64 array whose first axis is the position; exponents are int64 arrays of the same
leading shape.
"""

import numpy as np

from . import tables
from .integers import RS, SH, bit_length, quantise
from .norms import RESIDUAL_LIMIT

SCORE_FRACTION_BITS = 12
SCORE_LIMIT = 2**30 - 1
ACTIVATIONS = {"silu": "SIGMOID", "geluTanh": "GELU_TANH", "gelu": "GELU_ERF"}


def embed(tokens, table, fraction_bits, scale=None):
    """4.1: rows of a table16 or of the tied head as residuals; also embedPosition."""
    tokens = np.asarray(tokens)
    shift = fraction_bits - table.exponent - (0 if scale is None else 14)
    # Weights of groups times multiplier and scale reach 2^77: Python's integers.
    product = table.integers(tokens).astype(object) * table.multipliers[tokens][:, None].astype(object) * (scale or 1)
    residual = [[_clamped(_scaled(int(x), shift)) for x in row] for row in product]
    return np.array(residual, dtype=np.int64).reshape(product.shape)


def _scaled(x, n):
    """SH(x, n) of one integer of any size."""
    return x << n if n >= 0 else (x + (1 << (-n - 1))) >> -n


def _clamped(x):
    return max(-RESIDUAL_LIMIT, min(RESIDUAL_LIMIT, x))


def rope(t, e, positions, phases, head_dimension):
    """4.4: act32 [n, heads · hd] → act32; `phases` are the φ_i as Python integers, at most hd / 2."""
    pairs = len(phases)
    index = np.array(
        [[((((p * f) % 2**64) + 2**47) // 2**48) % 2**16 for f in phases] for p in positions], dtype=np.int64
    ).reshape(len(positions), 1, pairs)
    cos = tables.COSINE[index]
    sin = tables.COSINE[(index - 16384) % 65536]
    heads = t.reshape(len(t), -1, head_dimension)
    a, b, rest = heads[..., :pairs], heads[..., pairs : 2 * pairs], heads[..., 2 * pairs :]
    turned = np.concatenate([RS(a * cos - b * sin, 15), RS(b * cos + a * sin, 15), rest], axis=-1)
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


def visible_keys(positions, context, window=None, causal=True):
    """Which of the keys 0 … context - 1 each query position sees (4.6)."""
    j, i = np.arange(context)[None, :], np.asarray(positions)[:, None]
    visible = j <= i if causal else np.ones((i.size, context), dtype=bool)
    return visible if window is None else visible & (j > i - window)


def attention(queries, keys, values, visible, cap=None):
    """4.6: heads16 queries [n, heads, hd], keys and values [context, kv heads, hd] → heads32."""
    (q, e_q), (k, e_k), (v, e_v) = queries, keys, values
    n, heads, head_dimension = q.shape
    group = heads // e_k.shape[1]
    out = np.zeros((n, heads, head_dimension), dtype=np.int64)
    exponents = np.zeros((n, heads), dtype=np.int64)
    for h in range(heads):
        g = h // group
        # Exact in binary64: |s| < 2^31.
        s = (q[:, h].astype(np.float64) @ k[:, g].astype(np.float64).T).astype(np.int64)
        b = SH(s, e_q[:, h, None] + e_k[None, :, g] + SCORE_FRACTION_BITS)
        b = np.clip(b, -SCORE_LIMIT, SCORE_LIMIT)
        if cap is not None:
            b = capped(b, cap)
        largest = np.where(visible, b, -(2**31)).max(axis=-1, keepdims=True)
        delta = np.where(visible, largest - b, 0)
        total = np.where(visible, _power_weight(delta, 0), 0).sum(axis=-1)
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


def _activated(g, e_g, activation):
    """RS(g · σ, 15) of 4.8."""
    table = getattr(tables, ACTIVATIONS[activation])
    x = np.clip(SH(g, e_g[:, None] + 12), -65535, 65535)
    i, r = np.abs(x) // 16, np.abs(x) % 16
    sigma = table[i] + RS((table[i + 1] - table[i]) * r, 4)
    return RS(g * np.where(x < 0, 32768 - sigma, sigma), 15)


def gated(g, e_g, u, e_u, activation):
    """4.8: two act32 → act16."""
    q, k = quantise(_activated(g, e_g, activation) * u, 32767)
    return q, e_g + e_u + k


def activate(g, e_g, activation):
    """4.8: act32 → act16."""
    q, k = quantise(_activated(g, e_g, activation), 32767)
    return q, e_g + k


def add(x, t, e, fraction_bits):
    """4.9: residual + act32 → residual."""
    return np.clip(x + SH(t, (e + fraction_bits)[:, None]), -RESIDUAL_LIMIT, RESIDUAL_LIMIT)


def add_residuals(x, z):
    """4.9: residual + residual → residual."""
    return np.clip(x + z, -RESIDUAL_LIMIT, RESIDUAL_LIMIT)


def quantise_residual(x, fraction_bits):
    """4.13: residual → act16."""
    q, k = quantise(x, 32767)
    return q, k - fraction_bits


def capped(x, cap):
    """CAP of 4.16 for |x| < 2^30."""
    z = np.minimum((np.abs(x) * (2**44 // cap)) >> 28, 2**19 - 1)
    i, r = z // 128, z % 128
    tau = tables.TANH[i] + RS((tables.TANH[i + 1] - tables.TANH[i]) * r, 7)
    return np.sign(x) * RS(cap * tau, 24)


def softcap(t, e, cap):
    """4.16: act32 → act32."""
    limit = 2**30 - 1
    return capped(np.clip(SH(t, (e + 16)[:, None]), -limit, limit), cap), np.full(len(t), -16)
