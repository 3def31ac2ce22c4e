"""Operators against the literal transcription on extreme inputs, and against binary64 on ordinary ones."""

import math
from fractions import Fraction

import literal
import numpy as np
import pytest
from extremes import ROUNDS, real, relative, scaled

from evident_oracle import frequencies, operators, tables
from evident_oracle.integers import quantise
from evident_oracle.weights import Matrix


def test_embed(rng):
    for F, f in [(20, 30), (8, 256), (30, -256), (20, 20), (30, 0)]:
        weights = rng.integers(-32768, 32768, size=(4, 7)).astype(np.int16)
        table = Matrix(weights, rng.integers(0, 2**24, size=4), f)
        for scale in (None, 1, 16384, int(rng.integers(1, 2**22)), 2**22 - 1):
            got = operators.embed([3, 0], table, F, scale)
            for row, token in enumerate([3, 0]):
                expected = literal.embed(weights[token].tolist(), int(table.multipliers[token]), f, F, scale)
                assert got[row].tolist() == expected


def test_an_embedding_scale_of_one_changes_nothing(rng):
    for f in (0, 20, 40):
        table = Matrix(rng.integers(-32768, 32768, size=(4, 7)).astype(np.int16), rng.integers(0, 2**24, size=4), f)
        assert (operators.embed([0, 1], table, 20, 2**14) == operators.embed([0, 1], table, 20)).all()


def test_rope(rng):
    for _ in range(ROUNDS):
        half = int(rng.integers(1, 9))
        rotating = int(rng.integers(0, half + 1))
        phases = [int(f) for f in rng.integers(0, 2**64, size=rotating, dtype=np.uint64)]
        t = scaled(rng, (3, 4 * half), 0, 30)
        positions = [0, 1, int(rng.integers(2, 2**20))]
        got, _ = operators.rope(t, np.zeros(3, int), positions, phases, 2 * half)
        for row, p in enumerate(positions):
            assert got[row].tolist() == literal.rope(t[row].tolist(), p, phases, 2 * half)
        rest = np.arange(4 * half) % (2 * half) >= 2 * rotating
        assert (got[:, rest] == t[:, rest]).all()


def test_query_limit():
    assert [operators.query_limit(hd) for hd in (2, 64, 128, 130, 256)] == [4095, 4095, 4095, 2047, 2047]


def test_visible_keys():
    sees = operators.visible_keys([2, 3], 4).astype(int).tolist()
    assert sees == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert operators.visible_keys([2, 3], 4, window=2).astype(int).tolist() == [[0, 1, 1, 0], [0, 0, 1, 1]]
    assert operators.visible_keys([2, 3], 4, window=1).astype(int).tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    assert operators.visible_keys([2, 3], 4, window=2**53 - 1).astype(int).tolist() == sees
    assert operators.visible_keys(range(3), 3, causal=False).all()


@pytest.mark.parametrize("window,causal,cap", [(None, True, None), (3, True, 5000), (1, True, None), (None, False, 2**12)])
def test_attention(rng, window, causal, cap):
    for round_ in range(ROUNDS):
        hd, context, n = 2 * int(rng.integers(1, 12)), int(rng.integers(3, 20)), 3
        heads, kv_heads = 4, 2
        limit = operators.query_limit(hd)
        q = np.clip(scaled(rng, (n, heads, hd), 0, 12), -limit, limit)
        k, v = (scaled(rng, (context, kv_heads, hd), 0, 12) for _ in range(2))
        spread = [3, 12, 40][round_ % 3]
        e_q, e_k, e_v = (rng.integers(-18 - spread, -18 + spread, size=a.shape[:2]) for a in (q, k, v))
        visible = operators.visible_keys(range(context - n, context), context, window, causal)
        out, e = operators.attention((q, e_q), (k, e_k), (v, e_v), visible, cap)
        for row in range(n):
            i = context - n + row
            first = 0 if window is None else max(0, i - window + 1)
            seen = slice(first, i + 1 if causal else context)
            for h in range(heads):
                g = h // 2
                expected = literal.attention(
                    q[row, h].tolist(), int(e_q[row, h]), k[seen, g].tolist(), e_k[seen, g].tolist(),
                    v[seen, g].tolist(), e_v[seen, g].tolist(), cap,
                )
                assert (out[row, h].tolist(), int(e[row, h])) == expected


def test_merge_and_add(rng):
    for _ in range(ROUNDS):
        t, e = scaled(rng, (2, 3, 4), 0, 29), rng.integers(-60, 60, size=(2, 3))
        q, exponent = operators.merge_heads(t, e)
        g, e_t = scaled(rng, (2, 9), 0, 30), rng.integers(-90, 60, size=2)
        x, z = scaled(rng, (2, 9), 0, 46), scaled(rng, (2, 9), 0, 46)
        total, both = operators.add(x, g, e_t, 20), operators.add_residuals(x, z)
        small, e_small = operators.quantise_residual(x, 20)
        for row in range(2):
            assert (q[row].tolist(), int(exponent[row])) == literal.merge_heads(t[row].tolist(), e[row].tolist())
            assert total[row].tolist() == literal.add(x[row].tolist(), g[row].tolist(), int(e_t[row]), 20)
            assert both[row].tolist() == literal.add_residuals(x[row].tolist(), z[row].tolist())
            assert (small[row].tolist(), int(e_small[row])) == literal.quantise_residual(x[row].tolist(), 20)


@pytest.mark.parametrize("activation", operators.ACTIVATIONS)
def test_gated_and_activate(rng, activation):
    table = getattr(tables, operators.ACTIVATIONS[activation])
    for _ in range(ROUNDS):
        g, u = scaled(rng, (2, 9), 0, 30), scaled(rng, (2, 9), 0, 30)
        e_g, e_u = rng.integers(-60, 20, size=2), rng.integers(-60, 20, size=2)
        hidden, e_h = operators.gated(g, e_g, u, e_u, activation)
        alone, e_a = operators.activate(g, e_g, activation)
        for row in range(2):
            values, e = g[row].tolist(), int(e_g[row])
            assert (hidden[row].tolist(), int(e_h[row])) == literal.gated(
                values, e, u[row].tolist(), int(e_u[row]), table
            )
            assert (alone[row].tolist(), int(e_a[row])) == literal.activate(values, e, table)


def test_softcap(rng):
    for _ in range(ROUNDS):
        cap = int(rng.integers(2**12, 2**29)) if rng.random() < 0.5 else int(2 ** rng.integers(12, 29))
        t, e = scaled(rng, (2, 30), 0, 30), rng.integers(-60, 30, size=2)
        got, exponent = operators.softcap(t, e, cap)
        for row in range(2):
            assert (got[row].tolist(), int(exponent[row])) == literal.softcap(t[row].tolist(), int(e[row]), cap)
        assert np.abs(got).max() <= cap and (np.sign(got) * np.sign(t) >= 0).all()


def test_softcap_rises(rng):
    for cap in (2**12, 53248, 2**29 - 1):
        x = np.sort(scaled(rng, 3000, 0, 30))
        assert (np.diff(operators.capped(x, cap)) >= 0).all()


@pytest.mark.parametrize("cap", [0.8, 30.0, 50.0])
def test_softcap_is_the_real_softcap(rng, cap):
    """2^-16 of the cap from the quotient's last bit, 2^-21 from the interpolation, and a rounding."""
    x = rng.normal(0, 1.5 * cap, (50, 40))
    got = real(*operators.softcap(np.rint(x * 2**18).astype(np.int64), np.full(50, -18), round(cap * 65536)))
    assert np.abs(got - cap * np.tanh(x / cap)).max() < cap * (2**-16 + 2**-20) + 2**-16


def test_capped_scores_against_exact_quotients(rng):
    """z is x / C in units of 2^-16, at most one unit low: floor twice, of the reciprocal and of the product."""
    for _ in range(300):
        cap, x = int(rng.integers(2**12, 2**29)), int(rng.integers(0, 2**30))
        z = min(x * (2**44 // cap) // 2**28, 2**19 - 1)
        exact = Fraction(x, cap) * 2**16
        assert z <= exact and (exact - z < 2 + exact * cap / 2**44 or z == 2**19 - 1)


def test_attention_is_the_real_attention(rng):
    n, hd = 40, 32
    q, k, v = (rng.normal(0, s, (n, 1, hd)) for s in (0.5, 1.0, 2.0))
    fixed = [quantise(np.rint(a * 2**20).astype(np.int64), 4095) for a in (q, k, v)]
    visible = operators.visible_keys(range(n), n)
    got = real(*operators.attention(*[(a, e - 20) for a, e in fixed], visible))[:, 0]
    scores = q[:, 0] @ k[:, 0].T + np.triu(np.full((n, n), -np.inf), 1)
    p = np.exp2(scores - scores.max(axis=-1, keepdims=True))
    expected = p / p.sum(axis=-1, keepdims=True) @ v[:, 0]
    assert relative(got, expected) < 5e-3


REAL_ACTIVATIONS = {
    "silu": lambda x: x / (1 + np.exp(-x)),
    "geluTanh": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / np.sqrt(2))),
}


@pytest.mark.parametrize("activation", operators.ACTIVATIONS)
def test_gated_is_the_real_activation(rng, activation):
    gate, up = rng.normal(0, 4, (50, 64)), rng.normal(0, 2, (50, 64))
    fixed = [np.rint(a * 2**20).astype(np.int64) for a in (gate, up)]
    e, exact = np.full(50, -20), REAL_ACTIVATIONS[activation](gate)
    assert relative(real(*operators.gated(fixed[0], e, fixed[1], e, activation)), exact * up) < 2e-4
    assert relative(real(*operators.activate(fixed[0], e, activation)), exact) < 1e-4


def test_rope_is_the_real_rotation(rng):
    half, positions = 16, [0, 1, 5, 1000, 2**20 - 1]
    x = rng.normal(0, 1, (5, 2 * half))
    phases = frequencies.frequencies(1e4, half)
    t, _ = operators.rope(np.rint(x * 2**26).astype(np.int64), np.zeros(5), positions, phases, 2 * half)
    angle = np.array(positions)[:, None] * 1e4 ** (-np.arange(half) / half)
    a, b = x[:, :half], x[:, half:]
    turned = np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=1)
    assert relative(t / 2**26, turned) < 2e-4
