"""Operators against the literal transcription on extreme inputs, and against binary64 on ordinary ones."""

import literal
import numpy as np
import pytest

from evident_oracle import model, operators, tables

ROUNDS = 40


def scaled(rng, shape, low_bits, high_bits):
    """Integers whose magnitudes spread over many binary orders, including the extremes."""
    bits = rng.integers(low_bits, high_bits + 1, size=shape)
    values = np.minimum(rng.integers(0, 2**62, size=shape) >> (62 - bits), 2**high_bits - 1)
    values = np.where(rng.random(shape) < 0.05, 2**high_bits - 1, values)
    return np.where(rng.random(shape) < 0.5, -values, values).astype(np.int64)


def random_matrix(rng, rows, columns, extreme):
    weights = rng.integers(-128, 128, size=(rows, columns)).astype(np.int8)
    multipliers = rng.integers(0, 2**24, size=rows)
    if extreme:
        weights[0] = -128
        multipliers[0] = 2**24 - 1
    return model.Matrix(weights, multipliers, int(rng.integers(-20, 40)))


def test_embed(rng):
    for F, f in [(20, 30), (8, 256), (30, -256), (20, 20), (30, 0)]:
        weights = rng.integers(-32768, 32768, size=(4, 7)).astype(np.int16)
        table = model.Matrix(weights, rng.integers(0, 2**24, size=4), f)
        got = operators.embed([3, 0], table, F)
        for row, token in enumerate([3, 0]):
            expected = literal.embed(weights[token].tolist(), int(table.multipliers[token]), f, F)
            assert got[row].tolist() == expected


def test_rms_norm(rng):
    for round_ in range(ROUNDS):
        d = int(rng.integers(1, 40))
        x = scaled(rng, (2, d), 0, int(rng.integers(1, 47)))
        x[1] = 0 if round_ % 4 == 0 else x[1]
        gain = model.Gain(scaled(rng, d, 0, 23), int(rng.integers(-10, 30)))
        epsilon = int(scaled(rng, 1, 0, int(rng.integers(1, 53)))[0].__abs__()) + 1
        q, e = operators.rms_norm(x, gain, epsilon)
        for row in range(2):
            assert (q[row].tolist(), int(e[row])) == literal.rms_norm(
                x[row].tolist(), gain.values.tolist(), gain.exponent, epsilon
            )


def test_rms_norm_at_the_bound_of_the_hidden_size():
    x = np.full((1, 16384), 2**46 - 1)
    gain = model.Gain(np.full(16384, 2**23 - 1), 0)
    q, e = operators.rms_norm(x, gain, 2**53 - 1)
    assert (q[0].tolist(), int(e[0])) == literal.rms_norm(x[0].tolist(), gain.values.tolist(), 0, 2**53 - 1)


def test_linear(rng):
    for round_ in range(ROUNDS):
        rows, columns = int(rng.integers(1, 9)), int(rng.integers(1, 300))
        weight = random_matrix(rng, rows, columns, round_ % 2 == 0)
        q = scaled(rng, (2, columns), 0, 15)
        t, e = operators.linear(q, np.array([-9, 4]), weight)
        for row, exponent in enumerate((-9, 4)):
            assert (t[row].tolist(), int(e[row])) == literal.linear(
                q[row].tolist(), exponent, weight.weights.tolist(), weight.multipliers.tolist(), weight.exponent
            )


def test_linear_at_the_bound_of_its_input():
    weight = model.Matrix(np.full((1, 65535), -128, np.int8), np.array([2**24 - 1]), 0)
    q = np.full((1, 65535), 32767)
    t, e = operators.linear(q, np.array([0]), weight)
    assert (t[0].tolist(), int(e[0])) == literal.linear(
        q[0].tolist(), 0, weight.weights.tolist(), weight.multipliers.tolist(), 0
    )


def test_linear_of_zeros():
    weight = model.Matrix(np.zeros((2, 3), np.int8), np.zeros(2), 0)
    t, e = operators.linear(np.array([[1, 2, 3]]), np.array([5]), weight)
    assert t.tolist() == [[0, 0]] and e.tolist() == [5]


def test_rope(rng):
    for _ in range(ROUNDS):
        half = int(rng.integers(1, 9))
        phases = [int(f) for f in rng.integers(0, 2**64, size=half, dtype=np.uint64)]
        t = scaled(rng, (3, 4 * half), 0, 30)
        positions = [0, 1, int(rng.integers(2, 2**20))]
        got, _ = operators.rope(t, np.zeros(3, int), positions, phases, 2 * half)
        for row, p in enumerate(positions):
            assert got[row].tolist() == literal.rope(t[row].tolist(), p, phases, 2 * half)


def test_query_limit():
    assert [operators.query_limit(hd) for hd in (2, 64, 128, 130, 256)] == [4095, 4095, 4095, 2047, 2047]


def test_attention(rng):
    for round_ in range(ROUNDS):
        hd, context, n = 2 * int(rng.integers(1, 12)), int(rng.integers(3, 20)), 3
        heads, kv_heads = 4, 2
        limit = operators.query_limit(hd)
        q = np.clip(scaled(rng, (n, heads, hd), 0, 12), -limit, limit)
        k, v = (scaled(rng, (context, kv_heads, hd), 0, 12) for _ in range(2))
        spread = [3, 12, 40][round_ % 3]
        e_q, e_k, e_v = (rng.integers(-18 - spread, -18 + spread, size=a.shape[:2]) for a in (q, k, v))
        out, e = operators.attention((q, e_q), (k, e_k), (v, e_v), context - n)
        for row in range(n):
            seen = context - n + row + 1
            for h in range(heads):
                g = h // 2
                expected = literal.attention(
                    q[row, h].tolist(), int(e_q[row, h]), k[:seen, g].tolist(), e_k[:seen, g].tolist(),
                    v[:seen, g].tolist(), e_v[:seen, g].tolist(),
                )
                assert (out[row, h].tolist(), int(e[row, h])) == expected


def test_merge_swiglu_add(rng):
    for _ in range(ROUNDS):
        t, e = scaled(rng, (2, 3, 4), 0, 29), rng.integers(-60, 60, size=(2, 3))
        q, exponent = operators.merge_heads(t, e)
        g, u = scaled(rng, (2, 9), 0, 30), scaled(rng, (2, 9), 0, 30)
        e_g, e_u = rng.integers(-60, 20, size=2), rng.integers(-60, 20, size=2)
        hidden, e_h = operators.swiglu(g, e_g, u, e_u)
        x, e_t = scaled(rng, (2, 9), 0, 46), rng.integers(-90, 60, size=2)
        total = operators.add(x, g, e_t, 20)
        for row in range(2):
            assert (q[row].tolist(), int(exponent[row])) == literal.merge_heads(t[row].tolist(), e[row].tolist())
            assert (hidden[row].tolist(), int(e_h[row])) == literal.swiglu(
                g[row].tolist(), int(e_g[row]), u[row].tolist(), int(e_u[row])
            )
            assert total[row].tolist() == literal.add(x[row].tolist(), g[row].tolist(), int(e_t[row]), 20)


def real(q, e):
    return np.ldexp(np.asarray(q, dtype=np.float64), np.asarray(e)[..., None])


def relative(got, expected):
    """The error of each row against the row's largest magnitude."""
    return (np.abs(got - expected).max(axis=-1) / np.abs(expected).max(axis=-1)).max()


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0, 60000.0])
def test_rms_norm_is_the_real_rms_norm(rng, scale):
    d, F, eps = 96, 20, 1e-5
    x = rng.normal(0, scale, (50, d))
    gamma = rng.normal(1, 0.3, d)
    gain = model.Gain(np.rint(gamma * d**0.5 * 2**18).astype(np.int64), 18)
    got = real(*operators.rms_norm(np.rint(x * 2**F).astype(np.int64), gain, round(eps * d * 4**F)))
    expected = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gamma
    assert relative(got, expected) < 1e-4


def test_attention_is_the_real_attention(rng):
    n, hd = 40, 32
    q, k, v = (rng.normal(0, s, (n, 1, hd)) for s in (0.5, 1.0, 2.0))
    fixed = [operators.quantise(np.rint(a * 2**20).astype(np.int64), 4095) for a in (q, k, v)]
    got = real(*operators.attention(*[(a, e - 20) for a, e in fixed], 0))[:, 0]
    scores = q[:, 0] @ k[:, 0].T + np.triu(np.full((n, n), -np.inf), 1)
    p = np.exp2(scores - scores.max(axis=-1, keepdims=True))
    expected = p / p.sum(axis=-1, keepdims=True) @ v[:, 0]
    assert relative(got, expected) < 5e-3


def test_swiglu_is_the_real_swiglu(rng):
    gate, up = rng.normal(0, 4, (50, 64)), rng.normal(0, 2, (50, 64))
    fixed = [np.rint(a * 2**20).astype(np.int64) for a in (gate, up)]
    e = np.full(50, -20)
    got = real(*operators.swiglu(fixed[0], e, fixed[1], e))
    assert relative(got, gate / (1 + np.exp(-gate)) * up) < 2e-4


def test_rope_is_the_real_rotation(rng):
    half, positions = 16, [0, 1, 5, 1000, 2**20 - 1]
    x = rng.normal(0, 1, (5, 2 * half))
    phases = tables.frequencies(1e4, half)
    t, _ = operators.rope(np.rint(x * 2**26).astype(np.int64), np.zeros(5), positions, phases, 2 * half)
    angle = np.array(positions)[:, None] * 1e4 ** (-np.arange(half) / half)
    a, b = x[:, :half], x[:, half:]
    turned = np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=1)
    assert relative(t / 2**26, turned) < 2e-4
