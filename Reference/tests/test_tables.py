"""The tables against floating point and against the page."""

import re
from pathlib import Path

import numpy as np

from evident_oracle import tables

SPECIFICATION = Path(__file__).resolve().parents[2] / "docs" / "spec" / "arithmetic.md"


def test_digests_are_those_of_the_specification():
    listed = dict(re.findall(r"^\| (C|Σ16|T) \| `([0-9a-f]{64})` \|$", SPECIFICATION.read_text("utf-8"), re.M))
    assert listed == tables.digests()


def test_spot_values():
    assert tables.COSINE[[0, 8192, 16384, 32768, 49152, 65535]].tolist() == [32768, 23170, 0, -32768, 0, 32768]
    assert tables.SIGMOID[[0, 256, 4096]].tolist() == [16384, 23955, 32768]
    assert tables.POWER[[0, 2048, 4095]].tolist() == [32768, 23170, 16386]


def test_tables_are_the_rounded_functions():
    i = np.arange(65536)
    assert (np.rint(32768 * np.cos(2 * np.pi * i / 65536)) == tables.COSINE).all()
    i = np.arange(4097)
    assert (np.rint(32768 / (1 + np.exp(-i / 256))) == tables.SIGMOID).all()


def test_power_table_is_close_and_falls():
    f = np.arange(4096)
    assert np.abs(tables.POWER - 32768 * 2.0 ** (-f / 4096)).max() < 1.5
    assert (np.diff(tables.POWER) <= 0).all() and 16384 <= tables.POWER.min()


def test_symmetries_of_cosine():
    c = tables.COSINE
    assert (c[1:] == c[:0:-1]).all() and (c[:32768] == -c[32768:]).all()


def test_frequencies():
    # 1 / 2π in hexadecimal begins 0.28BE60DB9391054A (the constant of Payne and Hanek's argument reduction).
    assert tables.frequencies(10000.0, 4)[0] == 0x28BE60DB9391054A
    for theta, half in [(10000.0, 32), (500000.0, 64), (1000000.0, 128), (10000.0, 1), (100.5, 6)]:
        values = tables.frequencies(theta, half)
        for i, value in enumerate(values):
            assert abs(value / (2.0**64 * theta ** (-i / half) / (2 * np.pi)) - 1) < 1e-13 + 1 / value
