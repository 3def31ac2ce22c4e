"""Turns per position, and the scalings of RoPE."""

import math
from fractions import Fraction

import pytest

from evident_oracle import frequencies
from evident_oracle.canonical import Rejection

LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


def test_frequencies():
    # 1 / 2π in hexadecimal begins 0.28BE60DB9391054A (the constant of Payne and Hanek's argument reduction).
    assert frequencies.frequencies(10000.0, 4)[0] == 0x28BE60DB9391054A
    for theta, half in [(10000.0, 32), (500000.0, 64), (1000000.0, 128), (10000.0, 1), (100.5, 6)]:
        values = frequencies.frequencies(theta, half)
        for i, value in enumerate(values):
            assert abs(value / (2.0**64 * theta ** (-i / half) / (2 * math.pi)) - 1) < 1e-13 + 1 / value


def test_turns_are_the_nearest_binary64_numbers():
    for theta, half in [(10000.0, 32), (1e6, 48)]:
        for exact, near in zip(frequencies.frequencies(theta, half), frequencies.turns(theta, half)):
            # exact / 2^64 lies below the true number by less than 2^-64.
            assert Fraction(exact, 2**64) - Fraction(math.ulp(near)) / 2 <= Fraction(near)
            assert Fraction(near) <= Fraction(exact + 1, 2**64) + Fraction(math.ulp(near)) / 2


def test_linear_scaling_divides():
    plain = frequencies.frequencies(1e4, 16)
    for value, scaled in zip(plain, frequencies.scaled(1e4, 16, {"type": "linear", "factor": 4})):
        assert abs(scaled - value / 4) <= value * 2.0**-52 + 1
    assert frequencies.scaled(1e4, 16, {"rope_type": "default"}) == plain == frequencies.scaled(1e4, 16, None)


def test_llama3_keeps_short_waves_and_divides_long_ones():
    plain, scaled = frequencies.turns(5e5, 64), frequencies.scaled(5e5, 64, LLAMA3)
    kinds = set()
    for turn, value in zip(plain, scaled):
        wavelength = 1 / turn
        if wavelength < 8192 / 4:
            kind, wanted = "short", turn
        elif wavelength > 8192:
            kind, wanted = "long", turn / 8
        else:
            share = (8192 / wavelength - 1) / 3
            kind, wanted = "between", (1 - share) * turn / 8 + share * turn
        kinds.add(kind)
        assert value == math.floor(Fraction(wanted) * 2**64)
    assert kinds == {"short", "between", "long"}


def test_longrope():
    scaling = {"rope_type": "longrope", "short_factor": [1.0, 2.0], "original_max_position_embeddings": 4096}
    turns = frequencies.turns(1e4, 2)
    assert frequencies.scaled(1e4, 2, scaling) == [math.floor(Fraction(t) * 2**64) for t in (turns[0], turns[1] / 2)]
    factor = frequencies.longrope_query_factor(scaling, 131072)
    assert factor == pytest.approx(1 + math.log(32) / math.log(4096), abs=4e-16)
    # ln 16 / ln 2^12 is a third: the nearest binary64 number of 4/3.
    assert frequencies.longrope_query_factor(scaling, 65536) == 4 / 3
    assert frequencies.longrope_query_factor({**scaling, "factor": 16.0}, 10**6) == 4 / 3
    assert frequencies.longrope_query_factor({**scaling, "attention_factor": 1.5}, 131072) == 2.25
    assert frequencies.longrope_query_factor(scaling, 4096) == 1.0
    assert frequencies.longrope_query_factor(LLAMA3, 10**6) == 1.0
    with pytest.raises(Rejection):
        frequencies.scaled(1e4, 3, scaling)


@pytest.mark.parametrize("kind", ["yarn", "dynamic", "proportional", "mrope"])
def test_other_scalings_are_refused_by_name(kind):
    with pytest.raises(Rejection, match=kind):
        frequencies.scaled(1e4, 4, {"rope_type": kind, "factor": 2})
