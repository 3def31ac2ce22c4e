"""The profile stays close to binary64, so the page describes the model that it means.

`heldout.json` is what Model/evaluate.py --write-sequences wrote for the embedded model: its held-out
conversations as token ids. Run with -s to see the figures.
"""

import json
from pathlib import Path

import pytest

import accuracy
from evident_oracle import dequantised, model
from product import PACK

HELDOUT = json.loads((Path(__file__).parent / "heldout.json").read_text())


def measured(massive):
    arrays, raw = accuracy.make_random(3, 48, 2, 4, 2, 12, 100, 131, tied=True)
    if massive:
        arrays, raw = accuracy.make_massive(arrays, raw)
    sequences = [[(7 * i * i + s) % 131 for i in range(40)] for s in range(3)]
    return accuracy.evaluate(arrays, raw, sequences)


def test_arithmetic_is_close_to_binary64():
    arithmetic = measured(massive=False)["arithmetic"]
    assert arithmetic["cosine_min"] > 0.9999 and abs(arithmetic["perplexity_change_percent"]) < 0.5


def test_arithmetic_is_close_with_massive_activations():
    arithmetic = measured(massive=True)["arithmetic"]
    assert arithmetic["cosine_min"] > 0.999 and abs(arithmetic["perplexity_change_percent"]) < 1


def test_profile_follows_the_original_weights():
    """Eight-bit weights cost something; a wrong convention (rotation, scale, grouping) would cost nearly all."""
    profile = measured(massive=False)["profile"]
    assert profile["cosine_mean"] > 0.998 and profile["top1_percent"] > 85


@pytest.fixture(scope="module")
def embedded():
    """The embedded model, and its weights as the floating-point model that they stand for."""
    loaded = model.load(PACK)
    return loaded, *dequantised.llama(loaded)


def compared(name, arrays, raw, sequences, converted=None):
    results = accuracy.evaluate(arrays, raw, sequences, converted)
    print()
    for comparison, summary in results.items():
        print(f"{name}, {comparison}: {json.dumps(summary)}")
    assert results["profile"]["positions"] >= 2000
    return results


def test_dequantised_weights_convert_to_themselves(embedded):
    loaded, arrays, raw = embedded
    converted = accuracy.convert(arrays, raw)
    assert converted.config == loaded.config and converted.tensors.keys() == loaded.tensors.keys()
    for name, tensor in loaded.tensors.items():
        again = converted.tensors[name]
        assert again.exponent == tensor.exponent, name
        for field in ("weights", "multipliers", "values"):
            if hasattr(tensor, field):
                # A gain's last bits are finer than binary32.
                assert abs(getattr(again, field) - getattr(tensor, field)).max() <= (field == "values"), name


def test_embedded_model(embedded):
    loaded, arrays, raw = embedded
    profile = compared("embedded", arrays, raw, HELDOUT, loaded)["profile"]
    # Stale token ids would give a perplexity in the hundreds.
    assert profile["perplexity_reference"] < 2.5
    assert abs(profile["perplexity_change_percent"]) <= 0.5 and profile["top1_percent"] >= 99.5


def test_four_bit_weights(embedded):
    """The table of Reference/README.md on some of its conversations; down_proj has 688 inputs and stays at 8 bits."""
    rows = accuracy.weight_formats(embedded[0], HELDOUT[::4])
    print("\n" + accuracy.formats_table(rows))
    results = {(name, reference): summary for name, reference, summary in rows}
    for name in ("8 bits", "4 bits"):
        arithmetic = results[name, "same weights"]
        assert abs(arithmetic["perplexity_change_percent"]) <= 0.5 and arithmetic["top1_percent"] >= 99.5
    # Four bits cost something, or they would not be four; and not much, or the scales would be wrong.
    profile = results["4 bits", "original"]
    assert 0.02 < profile["perplexity_change_percent"] < 2 and 97 < profile["top1_percent"] < 99.8


def test_embedded_model_with_massive_activations(embedded):
    _, arrays, raw = embedded
    profile = compared("massive", *accuracy.make_massive(arrays, raw), HELDOUT[:60])["profile"]
    assert abs(profile["perplexity_change_percent"]) <= 1 and profile["top1_percent"] >= 99


def test_embedded_model_with_sinks(embedded):
    """Only the arithmetic: the weights leave their 8-bit grid, and what that costs is not the arithmetic's."""
    _, arrays, raw = embedded
    results = compared("sinks", *accuracy.make_sinks(arrays, raw, HELDOUT), HELDOUT[:60])
    arithmetic = results["arithmetic"]
    assert arithmetic["perplexity_reference"] < 10, "the model no longer works"
    assert abs(arithmetic["perplexity_change_percent"]) <= 1 and arithmetic["top1_percent"] >= 99
