"""Products with weights, biases and experts against the literal transcription and against exact rationals."""

from fractions import Fraction

import literal
import numpy as np
import pytest
from extremes import ROUNDS, grouped, matrix, scaled

from evident_oracle import linears, weights
from evident_oracle.architectures import LINEAR_KINDS
from evident_oracle.weights import Grouped, Matrix, Vector


def expected_linear(q, e, weight, rows=slice(None)):
    """The transcription over some rows of a weight of any kind."""
    q, e, M = q.tolist(), int(e), weight.multipliers.tolist()
    if weight.kind == "linear16":
        return literal.linear16(q, e, weight.weights[rows].tolist(), M[rows], weight.exponent, max(M))
    if isinstance(weight, Matrix):
        s = literal.linear8_shift(len(q), M)
        t = [
            literal.RS(sum(a * b for a, b in zip(row, q)) * m, s) for row, m in zip(weight.weights[rows].tolist(), M[rows])
        ]
        return t, e + s - weight.exponent
    G = weight.scales.tolist()
    B = None if weight.minimums is None else weight.minimums.tolist()
    shifts = literal.group_shifts(len(q), G, B, M)
    u = weight.quants[rows].tolist()
    return literal.linear4(q, e, u, G[rows], None if B is None else B[rows], M[rows], weight.exponent, shifts)


def random_weight(rng, kind, rows, groups, extreme):
    if kind in ("linear8", "linear16"):
        return matrix(rng, rows, 32 * groups, extreme, kind)
    return grouped(rng, rows, groups, kind == "linear4m", extreme)


@pytest.mark.parametrize("kind", LINEAR_KINDS)
def test_linear(rng, kind):
    for round_ in range(ROUNDS):
        weight = random_weight(rng, kind, int(rng.integers(1, 9)), int(rng.integers(1, 9)), round_ % 2 == 0)
        q = scaled(rng, (2, weight.shape[1]), 0, 15)
        q[1] = 32767 if round_ % 4 == 0 else q[1]
        t, e = linears.linear(q, np.array([-9, 4]), weight)
        for row, exponent in enumerate((-9, 4)):
            assert (t[row].tolist(), int(e[row])) == expected_linear(q[row], exponent, weight)


def test_linear_of_any_width(rng):
    for columns in (1, 31, 33, 300):
        weight = matrix(rng, 3, columns, True)
        q = scaled(rng, (1, columns), 0, 15)
        t, e = linears.linear(q, np.array([0]), weight)
        assert (t[0].tolist(), int(e[0])) == literal.linear(
            q[0].tolist(), 0, weight.weights.tolist(), weight.multipliers.tolist(), weight.exponent
        )


@pytest.mark.parametrize("kind", LINEAR_KINDS)
def test_linear_at_the_bound_of_its_input(kind):
    columns = 65535 if kind in ("linear8", "linear16") else 65504
    if kind == "linear8":
        weight = Matrix(np.full((1, columns), -128, np.int8), [2**24 - 1], 0)
    elif kind == "linear16":
        weight = Matrix(np.full((1, columns), -(2**15), np.int16), [2**24 - 1], 0, kind)
    else:
        codes = np.full((1, columns // 32), 0x7FFF, np.uint16)
        quants = np.full((1, columns), 15 if kind == "linear4m" else 0, np.uint8)
        weight = Grouped(quants, codes, codes | 0x8000 if kind == "linear4m" else None, [2**24 - 1], 0)
    q = np.full((1, columns), 32767)
    t, e = linears.linear(q, np.array([0]), weight)
    assert (t[0].tolist(), int(e[0])) == expected_linear(q[0], 0, weight)
    assert abs(int(t[0, 0])) > 2**28


def test_linear_of_zeros():
    zeros = Matrix(np.zeros((2, 3), np.int8), np.zeros(2), 0)
    t, e = linears.linear(np.array([[1, 2, 3]]), np.array([5]), zeros)
    assert t.tolist() == [[0, 0]] and e.tolist() == [5]
    for minimums in (None, np.zeros((2, 1), np.uint16)):
        zeros = Grouped(np.full((2, 32), 9, np.uint8), np.zeros((2, 1), np.uint16), minimums, [0, 7], 3)
        t, e = linears.linear(np.full((1, 32), 9), np.array([5]), zeros)
        assert t.tolist() == [[0, 0]] and e.tolist() == [2]


@pytest.mark.parametrize("kind", LINEAR_KINDS)
def test_linear_is_the_exact_product_to_its_last_bit(rng, kind):
    """Against rationals: half a unit for the last rounding, and M / 2^s2 halves for the one before."""
    for _ in range(ROUNDS):
        weight = random_weight(rng, kind, 4, 3, False)
        q = scaled(rng, (1, 96), 10, 15)
        t, e = linears.linear(q, np.array([-30]), weight)
        _, s2 = weight.shifts()
        integers = weight.weights if isinstance(weight, Matrix) else weight.integers()
        for j in range(4):
            exact = sum(int(w) * int(c) for w, c in zip(integers[j], q[0])) * int(weight.multipliers[j])
            exact *= Fraction(2) ** (-30 - weight.exponent)
            unit = Fraction(2) ** int(e[0])
            error = abs(int(t[0, j]) * unit - exact)
            assert error <= unit / 2 * (1 + Fraction(int(weight.multipliers[j]), 2**s2))


def test_codes():
    cases = [(0, 0), (0x8000, 0), (1, 1), (0x8001, -1), (2047, 2047), (1 << 11 | 1024, 2048), (0x7FFF, 2047 << 15)]
    for code, value in cases:
        assert int(weights.decoded_scale(code)) == literal.V(code) == value
    assert [literal.V(c) for c in range(2**16)] == weights.decoded_scale(np.arange(2**16)).tolist()


def test_add_bias(rng):
    for _ in range(ROUNDS):
        t, e = scaled(rng, (2, 9), 0, 30), rng.integers(-80, 60, size=2)
        bias = Vector("bias", scaled(rng, 9, 0, 23), int(rng.integers(-60, 80)))
        got, exponent = linears.add_bias(t, e, bias)
        for row in range(2):
            assert (got[row].tolist(), int(exponent[row])) == literal.add_bias(
                t[row].tolist(), int(e[row]), bias.values.tolist(), bias.exponent
            )
            # Each of the two terms is rounded to the sum's unit at most once.
            unit = Fraction(2) ** int(exponent[row])
            for c in range(9):
                exact = int(t[row, c]) * Fraction(2) ** int(e[row])
                exact += int(bias.values[c]) * Fraction(2) ** -bias.exponent
                assert abs(int(got[row, c]) * unit - exact) <= unit or abs(int(got[row, c])) == 2**30 - 1


def test_a_bias_of_zeros_costs_no_precision():
    """f = 40 for zeros: the values that come out of linears keep all their bits."""
    t, e = linears.add_bias(np.array([[2**29, -3]]), np.array([-40]), Vector("bias", np.zeros(2, np.int64), 40))
    assert t.tolist() == [[2**29, -3]] and e.tolist() == [-40]


@pytest.mark.parametrize("normalised", [True, False])
def test_route(rng, normalised):
    for round_ in range(ROUNDS):
        experts = int(rng.integers(1, 30))
        slots = int(rng.integers(1, experts + 1))
        t, e = scaled(rng, (2, experts), 0, int(rng.integers(1, 31))), rng.integers(-40, 10, size=2)
        t[1] = t[1] // 2**20 if round_ % 2 else t[1]  # ties
        ids, shares = linears.route(t, e, slots, normalised)
        for row in range(2):
            assert (ids[row].tolist(), shares[row].tolist()) == literal.route(
                t[row].tolist(), int(e[row]), slots, normalised
            )
            if normalised or slots == experts:
                assert abs(int(shares[row].sum()) - 2**24) <= slots / 2
            assert (shares[row] >= 0).all() and (shares[row] <= 2**24).all()


def test_route_orders_equals_by_id():
    ids, shares = linears.route(np.array([[5, 9, 5, 9]]), np.array([-2]), 3, True)
    assert ids.tolist() == [[1, 3, 0]] and shares[0, 0] == shares[0, 1] > shares[0, 2]


def test_route_is_softmax(rng):
    x = rng.normal(0, 2, (40, 16))
    t, e = np.rint(x * np.log2(np.e) * 2**24).astype(np.int64), np.full(40, -24)
    p = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    for normalised in (True, False):
        ids, shares = linears.route(t, e, 4, normalised)
        assert (ids == np.argsort(-x, axis=-1)[:, :4]).all()
        expected = np.take_along_axis(p, ids, axis=-1)
        expected = expected / expected.sum(axis=-1, keepdims=True) if normalised else expected
        assert np.abs(shares / 2**24 - expected).max() < 2e-4


@pytest.mark.parametrize("kind", LINEAR_KINDS)
def test_experts(rng, kind):
    for _ in range(ROUNDS // 4):
        experts, outputs, groups = int(rng.integers(1, 5)), int(rng.integers(1, 5)), int(rng.integers(1, 3))
        slots, n = int(rng.integers(1, experts + 1)), 2
        weight = random_weight(rng, kind, experts * outputs, groups, True)
        ids = np.stack([rng.permutation(experts)[:slots] for _ in range(n)])
        shares = rng.integers(0, 2**24 + 1, (n, slots))
        q, e = scaled(rng, (n, slots * groups * 32), 0, 15), rng.integers(-40, 5, size=n)
        side, e_side = linears.expert_linear(q[:, : groups * 32], e, (ids, shares), weight, experts)
        total, e_total = linears.expert_sum(q, e, (ids, shares), weight, experts)
        for row in range(n):
            beside, parts = [], []
            for slot, x in enumerate(ids[row]):
                rows = slice(int(x) * outputs, (int(x) + 1) * outputs)
                t, exponent = expected_linear(q[row, : groups * 32], e[row], weight, rows)
                beside += t
                own = q[row, slot * groups * 32 : (slot + 1) * groups * 32]
                parts.append(expected_linear(own, e[row], weight, rows)[0])
            assert (side[row].tolist(), int(e_side[row])) == (beside, exponent)
            assert (total[row].tolist(), int(e_total[row])) == (literal.weighted(parts, shares[row].tolist()), exponent)


def test_expert_sum_is_clamped():
    weight = Matrix(np.full((2, 1), -128, np.int8), [2**24 - 1] * 2, 0)
    routes = (np.array([[0, 1]]), np.array([[2**24, 2**24]]))
    total, _ = linears.expert_sum(np.array([[-32767, -32767]]), np.array([0]), routes, weight, 2)
    assert total.tolist() == [[2**30 - 1]]
