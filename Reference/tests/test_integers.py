"""Rounding, shifting and dividing, on negatives and ties."""

import literal
import numpy as np
import pytest

from evident_oracle import integers, sampling

EXTREMES = [0, 1, -1, 2, -2, 3, -3, 5, -5, 2**24, 2**46 - 1, 1 - 2**46, 2**62 - 1, 1 - 2**62, 2**61 + 1, -(2**61) - 1]


@pytest.mark.parametrize("implementation", [integers.RS, sampling.RS, literal.RS])
def test_rs_rounds_half_up(implementation):
    cases = [(-3, 1, -1), (3, 1, 2), (-1, 1, 0), (1, 1, 1), (-5, 2, -1), (-6, 2, -1), (-7, 2, -2), (6, 2, 2)]
    for x, s, expected in cases:
        assert int(implementation(x, s)) == expected
    assert [int(implementation(x, 0)) for x in (-3, 0, 3)] == [-3, 0, 3]


def test_rs_and_sh_agree_with_unbounded_integers(rng):
    values = EXTREMES + [int(v) for v in rng.integers(1 - 2**62, 2**62, 300)]
    for x in values:
        for s in [0, 1, 2, 15, 31, 60, 61, 62, 63, 64, 100, 1000]:
            assert int(integers.RS(x, s)) == literal.RS(x, s), (x, s)
            assert int(integers.SH(x, -s)) == literal.SH(x, -s), (x, s)
            exact = literal.SH(x, s)
            assert int(integers.SH(x, s)) == literal.clamp(exact, -(2**62), 2**62), (x, s)


def test_rs_refuses_what_it_cannot_represent():
    with pytest.raises(OverflowError):
        integers.RS(2**62, 3)
    with pytest.raises(ValueError):
        integers.RS(1, -1)


def test_div_rounds_half_up():
    for a, b, expected in [(-3, 2, -1), (3, 2, 2), (-5, 10, 0), (5, 10, 1), (-15, 10, -1), (-16, 10, -2), (7, 7, 1)]:
        assert integers.DIV(a, b) == sampling.DIV(a, b) == expected


def test_bit_length():
    values = [0, 1, 2, 3, 4, 2**24 - 1, 2**24, 2**53 - 1, 2**53, 2**54 - 1, 2**62, 2**63 - 1]
    assert integers.bit_length(np.array(values)).tolist() == [v.bit_length() for v in values]


def test_quantise_takes_the_smallest_shift():
    for v, limit, k in [([0, 0], 32767, 0), ([32767], 32767, 0), ([32768], 32767, 1), ([65534], 32767, 1)]:
        assert int(integers.quantise(np.array(v), limit)[1]) == k
    # 65535 / 2 rounds up beyond the limit, so one more bit goes.
    q, k = integers.quantise(np.array([65535, -65535]), 32767)
    assert (q.tolist(), int(k)) == ([16384, -16384], 2)
