"""The tables against floating point and against the page."""

import math
import re
from pathlib import Path

import numpy as np

from evident_oracle import frequencies, tables

SPECIFICATION = Path(__file__).resolve().parents[2] / "docs" / "spec" / "arithmetic.md"


def test_digests_are_those_of_the_specification():
    listed = dict(re.findall(r"^\| (C|Σ16|T|Φt16|Φe16|H) \| `([0-9a-f]{64})` \|$", SPECIFICATION.read_text("utf-8"), re.M))
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


def test_gelu_and_tanh_tables_are_the_rounded_functions():
    x = np.arange(4097) / 256
    exact = 16384 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    assert (np.rint(exact) == tables.GELU_TANH).all()
    assert (np.rint([16384 * (1 + math.erf(value / math.sqrt(2))) for value in x]) == tables.GELU_ERF).all()
    # binary64 knows 2^24 · tanh to about 2^-28: only near a tie could it round otherwise.
    exact = 2**24 * np.tanh(np.arange(4097) / 512)
    assert np.abs(exact - tables.TANH).max() <= 0.5 + 1e-7


def test_curves_rise_and_end_where_they_should():
    for table, first, last in (
        (tables.SIGMOID, 16384, 32768), (tables.GELU_TANH, 16384, 32768), (tables.GELU_ERF, 16384, 32768),
        (tables.TANH, 0, 16777212),
    ):
        assert (np.diff(table) >= 0).all() and (table[0], table[-1]) == (first, last)
