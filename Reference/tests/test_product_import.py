"""The product's importer and this one write the same bytes, for every architecture and weight format."""

import json
import subprocess

import pytest
from product import BINARY, environment
from test_transformers import FIXTURES, NAMES

from evident_oracle import importer

TINY = FIXTURES.parent / "tiny-llama"


def imported(home, directory, bits, *options):
    """The pack that `evident import` makes of a directory."""
    pack = home / "product.evpack"
    pack.unlink(missing_ok=True)
    command = [BINARY, "import", "--weights", f"{bits}bit", "--threads", "2", "--pack", pack, directory, *options]
    done = subprocess.run(
        command, env=environment(home), cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return pack.read_bytes()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    if not BINARY.exists():
        pytest.skip(f"there is no {BINARY}; build the product or set EVIDENT_BINARY")
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("bits", [8, 4, 16])
@pytest.mark.parametrize("name", ["tiny-llama", *NAMES])
def test_same_bytes(home, name, bits):
    # The directory whose weights lie on the other format's grid: nothing is exact, so every rounding counts.
    directory = TINY if name == "tiny-llama" else FIXTURES / name / f"{8 if bits == 4 else 4}bit"
    loaded = importer.import_directory(directory, home / "oracle.evpack", bits)
    product = imported(home, directory, bits)
    assert product == (home / "oracle.evpack").read_bytes(), loaded.manifest[:2000]


@pytest.mark.parametrize("head", [4, 16])
@pytest.mark.parametrize("name", ["llama-llama3", "gemma2", "qwen2"])
def test_heads_of_their_own(home, name, head):
    directory = FIXTURES / name / "4bit"
    loaded = importer.import_directory(directory, home / "oracle.evpack", 4, head)
    kinds = [tensor["kind"] for tensor in json.loads(loaded.manifest)["tensors"] if tensor["name"] == "lm_head"]
    assert kinds == [f"linear{head}"]
    product = imported(home, directory, 4, "--head", f"{head}bit")
    assert product == (home / "oracle.evpack").read_bytes(), loaded.manifest[:2000]
