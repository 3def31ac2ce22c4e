"""The profile stays close to binary64, so the page describes the model that it means."""

import accuracy


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
