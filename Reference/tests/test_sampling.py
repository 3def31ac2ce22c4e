"""The distribution that sampling draws from, and its filters."""

import hashlib

import numpy as np

from evident_oracle import sampling
from evident_oracle.sampling import MICRO, Parameters


def fixed(logits):
    return [round(x * 2**20) for x in logits], -20


def test_greedy_takes_the_smallest_of_equals_and_draws_nothing():
    def forbidden():
        raise AssertionError("random bits drawn")

    assert sampling.choose([3, 9, 9, 1], 0, [], [], Parameters(), forbidden) == 1


def test_frequencies_follow_softmax(rng):
    logits = rng.normal(0, 2, 30)
    for temperature in (0.5, 1.0, 1.7):
        parameters = Parameters(temperatureMicros=round(temperature * MICRO))
        kept = sampling.candidates(sampling.adjusted_logits(*fixed(logits), [], [], parameters), parameters)
        weights = np.zeros(30)
        for token, weight in kept:
            weights[token] = weight
        expected = np.exp((logits - logits.max()) / temperature)
        assert np.abs(weights / weights.sum() - expected / expected.sum()).max() < 3e-4


def test_draws_have_the_distribution():
    logits, count = [1.0, 0.0, -1.0, 2.0], 4000
    parameters = Parameters(temperatureMicros=MICRO)
    key = sampling.stream_key(bytes(32), bytes(32), bytes(32), 1, b"")
    seen = np.zeros(4)
    for n in range(count):
        seen[sampling.choose(*fixed(logits), [], [], parameters, lambda: sampling.draw(key, n))] += 1
    expected = np.exp(logits) / np.exp(logits).sum()
    assert np.abs(seen / count - expected).max() < 4 * (0.25 / count) ** 0.5


def test_extreme_draws_stay_inside():
    parameters = Parameters(temperatureMicros=MICRO)
    assert sampling.choose(*fixed([1.0, 2.0, 0.0]), [], [], parameters, lambda: 0) == 1
    assert sampling.choose(*fixed([1.0, 2.0, 0.0]), [], [], parameters, lambda: 2**64 - 1) == 2


def kept_ids(logits, **fields):
    parameters = Parameters(**{"temperatureMicros": MICRO, **fields})
    return [t for t, _ in sampling.candidates(sampling.adjusted_logits(*fixed(logits), [], [], parameters), parameters)]


def test_filters():
    logits = [float(np.log(p)) for p in (0.5, 0.2, 0.2, 0.07, 0.03)]
    assert kept_ids(logits) == [0, 1, 2, 3, 4]
    assert kept_ids(logits, topK=2) == [0, 1]
    assert kept_ids(logits, topPMicros=600000) == [0, 1]
    assert kept_ids(logits, topPMicros=1) == [0]
    assert kept_ids(logits, minPMicros=200000) == [0, 1, 2]
    assert kept_ids(logits, topK=4, topPMicros=960000) == [0, 1, 2, 3]


def test_bias_and_penalties():
    def adjusted(prompt=(), output=(), **fields):
        return sampling.adjusted_logits(*fixed([2.0, -2.0, 1.0]), list(prompt), list(output), Parameters(**fields))

    unit = 65536
    assert adjusted() == [2 * unit, -2 * unit, unit]
    assert adjusted(logitBias={1: 3 * MICRO}) == [2 * unit, unit, unit]
    assert adjusted([0, 1], repetitionPenaltyMicros=2 * MICRO) == [unit, -4 * unit, unit]
    assert adjusted([0], [2, 2], frequencyPenaltyMicros=500000) == [2 * unit, -2 * unit, 0]
    assert adjusted([0], [2, 2], presencePenaltyMicros=500000) == [2 * unit, -2 * unit, unit // 2]


def test_far_logits_and_low_temperature():
    parameters = Parameters(temperatureMicros=1000)
    kept = sampling.candidates([2**36, -(2**36), 2**36 - 1], parameters)
    assert [t for t, _ in kept][0] == 0 and kept[0][1] == 2**40
    assert dict(kept).get(1, 0) == 0


def test_random_bits_are_the_tagged_digests():
    def digest(tag, *parts):
        return hashlib.sha256(tag + b"\0" + b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()

    tokens = digest(b"evident.tokens.in.v1", b"\x01\0\0\0\x00\x02\0\0")
    assert sampling.input_digest([1, 512]) == tokens
    key = digest(b"evident.seed.v1", b"m" * 32, tokens, b"p" * 32, (7).to_bytes(8, "big"), b"nonce")
    assert sampling.stream_key(b"m" * 32, tokens, b"p" * 32, 7, b"nonce") == key
    expected = int.from_bytes(digest(b"evident.draw.v1", key, (5).to_bytes(8, "big"))[:8], "big")
    assert sampling.draw(key, 5) == expected
    assert sampling.parameters_digest({"b": 1, "a": [True, None]}) == digest(
        b"evident.parameters.v1", b'{"a":[true,null],"b":1}'
    )
