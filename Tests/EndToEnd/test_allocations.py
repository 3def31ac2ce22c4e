"""A step of decoding allocates nothing for what it computes: one box for the caller's closure, now and then a page."""

import os
import pathlib
import subprocess

import pytest
from conftest import BINARY

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    library = tmp_path_factory.mktemp("counter") / "allocations.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "allocations.c"], check=True)
    return library


def allocations(counter, tokens):
    command = [BINARY, "bench", "evident-tiny", "--prefill", "32", "--decode-at", "32", "--repetitions", "1"]
    done = subprocess.run(
        [*command, "--decode-tokens", str(tokens)], env={**os.environ, "LD_PRELOAD": str(counter)},
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rsplit("allocations ", 1)[1])


def test_none_per_token(counter):
    few, many = (min(allocations(counter, tokens) for _ in range(3)) for tokens in (16, 336))
    assert few > 100, "the counter counts nothing"
    assert many - few < 320 * 1.1, f"{many - few} allocations for 320 tokens more"
