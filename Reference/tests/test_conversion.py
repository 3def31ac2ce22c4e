"""Conversion of numbers: rounding, grids, the search for four-bit scales, blocks of GGUF."""

import struct
from fractions import Fraction

import literal
import numpy as np
import pytest

from evident_oracle import conversion, gguf_blocks
from evident_oracle.canonical import Rejection


def test_conversion_rules():
    x = np.array([[1.0, -2.0, 0.5], [0, 0, 0], [0.25, 0.125, -0.0625]], dtype=np.float32)
    matrix = conversion.matrix("x", x, 127)
    assert matrix.weights.tolist() == [[64, -127, 32], [0, 0, 0], [127, 64, -32]]
    assert 2**23 <= matrix.multipliers[0] < 2**24 and matrix.multipliers[1] == 0
    assert np.abs(matrix.real() - x).max() < 2 / 254 + 1e-6
    gain = conversion.gain("g", np.array([1.0, -1.5, 0.0, 1e-9], dtype=np.float32))
    assert gain.exponent == 21 and gain.values.tolist() == [2**22, -3 * 2**21, 0, 0]
    assert conversion.round_away(np.array([0.5, -0.5, 1.5, -2.5, 0.49999999999999994])).tolist() == [1, -1, 2, -3, 0]
    assert conversion.matrix("z", np.zeros((2, 2)), 127).shifts() == (0, 0)
    with pytest.raises(Rejection, match="element 4"):
        conversion.matrix("x", np.array([[1, 2, 3], [4, np.nan, 6]]), 127)


def test_factors_of_rows():
    x = np.array([[1.0, -2.0], [1.0, -2.0]])
    plain, scaled = conversion.matrix("x", x, 127), conversion.matrix("x", x, 127, np.array([1.0, 0.25]))
    assert (plain.weights == scaled.weights).all() and scaled.multipliers[1] * 4 == scaled.multipliers[0]
    gain = conversion.gain("g", np.ones(4), np.array([1.0, 1.0, 0.5, 0.5]))
    assert gain.values.tolist() == [2**22, 2**22, 2**21, 2**21]


def test_bias():
    bias = conversion.bias("b", np.array([0.75, -1.0, 2.0**-30]))
    assert bias.exponent == 22 and bias.values.tolist() == [3 * 2**20, -(2**22), 0]
    # Not above 40, and 40 for zeros.
    assert conversion.bias("b", np.array([2.0**-30])).exponent == 40
    assert conversion.bias("b", np.array([2.0**-18])).exponent == 40
    assert conversion.bias("b", np.array([2.0**-17])).exponent == 39
    zeros = conversion.bias("b", np.zeros(3))
    assert (zeros.exponent, zeros.values.tolist()) == (40, [0, 0, 0])
    # The largest magnitude rounds up to 2^23, which is one too many.
    assert conversion.bias("b", np.array([2.0 - 2.0**-40])).values.tolist() == [2**23 - 1]


def literal_group(x):
    """The search of model.md over one group, a step at a time; numbers are Python's binary64."""

    def away(v):
        return int(v + 0.5) if v >= 0 else -int(-v + 0.5)  # |v| is far below 2^52

    top = max(range(32), key=lambda i: (abs(x[i]), -i))
    if x[top] == 0:
        return [8] * 32, 0.0
    best = None
    for c in range(17):
        s = -x[top] / (8 - c / 8)
        q = [max(-8, min(7, away(v / s))) for v in x]
        N = 0.0
        for v, w in zip(x, q):
            N += v * w
        D = float(sum(w * w for w in q))
        if best is None or N * N / D > best[0]:
            best = (N * N / D, [w + 8 for w in q], N / D)
    return best[1], best[2]


def groups(rng):
    """Ordinary groups and awkward ones: zeros, one number, ties of magnitude, far apart, tiny."""
    yield from rng.normal(0, 1, (20, 32)).astype(np.float32)
    yield from (np.zeros(32), np.eye(32)[5], -np.eye(32)[31], np.ones(32), np.where(np.arange(32) % 2, 1.0, -1.0))
    yield from (np.where(np.arange(32) % 2, -1.0, 1.0), np.exp(rng.normal(0, 5, 32)), rng.normal(0, 1e-40, 32))
    yield from (np.float32(1e-45) * np.ones(32), rng.normal(0, 1e37, 32), rng.integers(-8, 8, 32).astype(float))


def test_linear4_is_the_search_of_the_page(rng):
    for x in groups(rng):
        x = np.float32(x)
        matrix = conversion.linear4("x", x[None])
        quants, scale = literal_group([float(v) for v in x])
        assert matrix.quants[0].tolist() == quants
        assert np.sign(literal.V(int(matrix.scales[0, 0]))) == np.sign(scale)


def test_linear4_keeps_numbers_on_its_grid(rng):
    """Numbers q · s with q in -8…7, one of them -8 · s: the quants come back and the real value to 2^-10."""
    q = rng.integers(-8, 8, (40, 3, 32))
    q[..., 4] = -8
    s = rng.normal(0, 1, (40, 3, 1))
    x = (q * s).reshape(40, 96)
    matrix = conversion.linear4("x", x)
    assert (matrix.quants.reshape(q.shape) == q + 8).all()
    assert np.abs(matrix.real() / np.where(x == 0, 1, x) - (x != 0)).max() < 2.0**-10


def test_linear4_beats_plain_rounding(rng):
    """Less error than with the scale that maps the largest magnitude to -8, and never much."""
    x = rng.normal(0, 1, (50, 128))
    matrix = conversion.linear4("x", x)
    parts = x.reshape(50, 4, 32)
    first = np.take_along_axis(parts, np.abs(parts).argmax(-1)[..., None], -1)
    plain = (np.clip(np.rint(parts / (-first / 8)), -8, 7) * (-first / 8)).reshape(x.shape)
    error, other = ((matrix.real() - x) ** 2).sum(), ((plain - x) ** 2).sum()
    assert error < 0.95 * other and error < 0.01 * (x**2).sum()


def test_rows_of_zeros_have_no_scale():
    x = np.zeros((3, 64))
    x[1] = np.linspace(-1, 1, 64)
    matrix = conversion.linear4("x", x)
    assert matrix.multipliers.tolist()[::2] == [0, 0] and matrix.multipliers[1] >= 2**23
    assert (matrix.quants[0] == 8).all() and (matrix.scales[0] == 0).all()
    assert np.abs(matrix.real() - x).max() < 0.08
    zeros = conversion.linear4("x", np.zeros((2, 32)))
    assert zeros.exponent == 0 and zeros.multipliers.tolist() == [0, 0] and zeros.real().tolist() == [[0.0] * 32] * 2


def test_codes_of_scales():
    """Eleven bits of mantissa: 2^-11 relative, until the exponent ends."""
    v = np.array([0.0, 0.4, 0.5, 1.0, 1023.4, 2047.4, 2047.5, 2048.0, 4095.0, 2.0**25, 2047.4 * 2**15, 2.0**26 - 1])
    codes = conversion.code(v, np.zeros(12, bool))
    assert [literal.V(int(c)) for c in codes] == [
        0, 0, 1, 1, 1023, 2047, 2048, 2048, 4096, 2**25, 2047 << 15, 2047 << 15,
    ]
    assert (codes[7] & 2047, codes[7] >> 11) == (1024, 1)
    negative = conversion.code(v, np.ones(12, bool))
    assert [literal.V(int(c)) for c in negative] == [-literal.V(int(c)) for c in codes]
    assert negative[1] == 0, "a multiplier that rounds to 0 has no sign"
    rng = np.random.default_rng(1)
    v = np.exp2(rng.uniform(10, 26, 1000))
    codes = conversion.code(v, np.zeros(1000, bool))
    values = np.array([literal.V(int(c)) for c in codes])
    assert np.abs(values / v - 1).max() <= 2.0**-11 + 2.0**-20


def half(x):
    return struct.pack("<e", x)


def quants_of(rng):
    return rng.integers(0, 16, 32).astype(np.uint8)


def packed_nibbles(u):
    return bytes(int(u[i]) | int(u[i + 16]) << 4 for i in range(16))


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1"])
def test_small_blocks(rng, kind):
    rows, columns, data, wanted = 3, 64, b"", []
    for _ in range(rows * columns // 32):
        u, d, m = quants_of(rng), float(np.float16(rng.normal())), float(np.float16(rng.normal()))
        data += half(d) + (half(m) if kind == "Q4_1" else b"") + packed_nibbles(u)
        wanted += [d * (int(c) - 8) if kind == "Q4_0" else d * int(c) + m for c in u]
    u, scales, minimums = gguf_blocks.read(kind, data, rows, columns)
    matrix = conversion.from_blocks(u, scales, minimums)
    assert matrix.kind == ("linear4" if kind == "Q4_0" else "linear4m")
    check_blocks(matrix, scales, minimums, np.array(wanted).reshape(rows, columns))


def test_super_blocks(rng):
    rows, columns, data, wanted = 2, 512, b"", []
    for _ in range(rows * columns // 256):
        d, least = float(np.float16(rng.uniform(1e-3, 1))), float(np.float16(rng.uniform(1e-3, 1)))
        s, m, u = rng.integers(0, 64, 8), rng.integers(0, 64, 8), rng.integers(0, 16, (8, 32))
        packed = [int(s[j]) | (int(s[j + 4]) >> 4) << 6 for j in range(4)]
        packed += [int(m[j]) | (int(m[j + 4]) >> 4) << 6 for j in range(4)]
        packed += [(int(s[j + 4]) & 15) | (int(m[j + 4]) & 15) << 4 for j in range(4)]
        body = [int(u[2 * p, i]) | int(u[2 * p + 1, i]) << 4 for p in range(4) for i in range(32)]
        data += half(d) + half(least) + bytes(packed) + bytes(body)
        wanted += [d * int(s[j]) * int(c) - least * int(m[j]) for j in range(8) for c in u[j]]
    u, scales, minimums = gguf_blocks.read("Q4_K", data, rows, columns)
    check_blocks(conversion.from_blocks(u, scales, minimums), scales, minimums, np.array(wanted).reshape(rows, columns))


def check_blocks(matrix, scales, minimums, wanted):
    """Scales and minimums within 2^-9 of themselves, or 2^-26 of the row's largest; quants as they were."""
    unit = np.ldexp(matrix.multipliers.astype(float), -matrix.exponent)[:, None]
    numbers = [(matrix.scales, scales, 1)] + ([] if minimums is None else [(matrix.minimums, minimums, 16)])
    largest = np.max([np.abs(part / times).max(axis=1) for _, part, times in numbers], axis=0)[:, None]
    for codes, exact, times in numbers:
        got = np.vectorize(lambda c: literal.V(int(c)))(codes) * times * unit
        assert (np.abs(got - exact) <= np.maximum(np.abs(exact) * 2.0**-9, largest * times * 2.0**-24)).all()
    assert np.abs(matrix.real() - wanted).max() <= np.abs(wanted).max() * 2.0**-9


def test_weights_of_one_sign_are_not_refused():
    """Q4_1 whose minimum is far above its step: weights reach beyond 2^30, and the product is still exact."""
    u, scales = np.full((1, 32), 15, np.uint8), np.array([[0.9]])
    matrix = conversion.from_blocks(u, scales, np.array([[-15.9]]))
    assert 2**30 < matrix.largest() <= 31 * 2047 * 2**15
    assert abs(float(matrix.real()[0, 0]) / (0.9 * 15 + 15.9) - 1) < 2.0**-10


def test_epsilon_is_rounded_away_from_ties():
    assert conversion.epsilon(2.0**-40, 1) == 1 and conversion.epsilon(1.5 * 2.0**-40, 1) == 2
    assert conversion.epsilon(0.0, 5) == 1
    assert conversion.epsilon(1e-5, 64) == round(Fraction(1e-5 * 64) * 2**40)
