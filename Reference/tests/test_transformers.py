"""The specification against transformers: its float32 answers on tiny random models of every architecture.

The models are those of Tests/ModelFilesTests/Fixtures/architectures, written by Reference/fixtures; their weights lie
on the grids of the weight formats, so that only the arithmetic and the reading of the directory are compared.
"""

import json

import numpy as np
import pytest
from product import ROOT

from evident_oracle import importer, safetensors
from evident_oracle.architectures import ARCHITECTURES
from evident_oracle.decoder import Decoder
from evident_oracle.encoder import Encoder

FIXTURES = ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "architectures"
NAMES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """(name, bits) → (architecture, kinds of weights, rows, rows of float32, largest ids of float32)."""
    folder = tmp_path_factory.mktemp("packs")

    def computed(name, bits):
        expected = json.loads((FIXTURES / name / "expected.json").read_text())
        grid = "4bit" if bits == 4 else "8bit"  # whose numbers 16 bits hold, too
        stored = safetensors.read_file(FIXTURES / name / f"{grid}.safetensors")
        wanted = stored["embeddings" if "embeddings" in stored else "logits"].astype(np.float64)
        loaded = importer.import_directory(FIXTURES / name / grid, folder / "pack", bits)
        rows = []
        for tokens in expected["sequences"]:
            if loaded.architecture == "bert":
                vector, exponent = Encoder(loaded).embedding(tokens)
                rows.append(np.ldexp(vector.astype(np.float64), exponent)[None])
            else:
                t, e = Decoder(loaded).forward(tokens)
                rows.append(np.ldexp(t.astype(np.float64), e[:, None]))
        kinds = {tensor.kind for tensor in loaded.tensors.values()}
        return loaded.architecture, kinds, np.concatenate(rows), wanted, expected["top"].get(grid)

    return {(name, bits): computed(name, bits) for name in NAMES for bits in (8, 4, 16)}


def cosines(rows, wanted):
    return (rows * wanted).sum(axis=1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(wanted, axis=1)


@pytest.mark.parametrize("bits", [8, 4, 16])
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_float32(answers, name, bits):
    architecture, kinds, rows, wanted, top = answers[name, bits]
    assert rows.shape == wanted.shape and ("linear4" in kinds) == (bits == 4)
    assert ("linear16" in kinds) == (bits == 16)
    cosine = cosines(rows, wanted)
    # In few rows two experts (their scores differ by less than 0.0013 in mixtral's three) or two keys are nearly equal.
    assert cosine.mean() >= 0.9995 and np.quantile(cosine, 0.02) >= 0.998
    if architecture == "bert":
        assert cosine.min() >= 0.9999
        assert np.abs(np.linalg.norm(rows, axis=1) / np.linalg.norm(wanted, axis=1) - 1).max() < 1e-3
    else:
        assert (rows.argmax(axis=1) == top).mean() >= 0.98


def test_the_table(answers):
    """Every architecture is there; run with -s to see the figures."""
    assert {architecture for architecture, *_ in answers.values()} == set(ARCHITECTURES)
    print("\n| model | bits | rows | mean cosine | least | top-1 % |\n" + "| --- " * 6 + "|")
    for (name, bits), (architecture, _, rows, wanted, top) in answers.items():
        cosine = cosines(rows, wanted)
        same = "" if top is None else f"{100 * (rows.argmax(axis=1) == top).mean():.2f}"
        print(f"| {name} | {bits} | {len(rows)} | {cosine.mean():.6f} | {cosine.min():.6f} | {same} |")
