"""Norms and embeddings against the literal transcription on extreme inputs, and against binary64 on ordinary ones."""

from fractions import Fraction

import literal
import numpy as np
import pytest
from extremes import ROUNDS, real, relative, scaled

from evident_oracle import norms
from evident_oracle.weights import Vector

LARGEST_GAIN = 2**23 - 1


def epsilon(rng):
    return abs(int(scaled(rng, 1, 0, int(rng.integers(1, 53)))[0])) + 1


def test_rms_norm(rng):
    for round_ in range(ROUNDS):
        d = int(rng.integers(1, 40))
        x = scaled(rng, (2, d), 0, int(rng.integers(1, 47)))
        x[1] = 0 if round_ % 4 == 0 else x[1]
        gain, eps = Vector("gain", scaled(rng, d, 0, 23), int(rng.integers(-10, 30))), epsilon(rng)
        q, e = norms.rms_norm(x, gain, eps)
        for row in range(2):
            assert (q[row].tolist(), int(e[row])) == literal.rms_norm(
                x[row].tolist(), gain.values.tolist(), gain.exponent, eps
            )


def test_rms_norm_at_the_bound_of_the_hidden_size():
    x = np.full((1, 16384), 2**46 - 1)
    gain = Vector("gain", np.full(16384, LARGEST_GAIN), 0)
    q, e = norms.rms_norm(x, gain, 2**53 - 1)
    assert (q[0].tolist(), int(e[0])) == literal.rms_norm(x[0].tolist(), gain.values.tolist(), 0, 2**53 - 1)


def test_norm_heads(rng):
    for round_ in range(ROUNDS):
        heads, width, F = int(rng.integers(1, 5)), int(rng.integers(1, 20)), int(rng.integers(8, 31))
        t = scaled(rng, (2, heads * width), 0, int(rng.integers(1, 32)))
        t[:, :width] = 0 if round_ % 4 == 0 else t[:, :width]
        # From where ε vanishes to where it saturates.
        e = rng.integers(-400, 400, 2) if round_ % 2 else rng.integers(-50, 10, 2)
        gain, eps = Vector("gain", scaled(rng, width, 0, 23), int(rng.integers(-256, 257))), epsilon(rng)
        got, exponent = norms.norm_heads(t, e, heads, gain, eps, F)
        for row in range(2):
            assert (got[row].tolist(), int(exponent[row])) == literal.norm_heads(
                t[row].tolist(), int(e[row]), heads, gain.values.tolist(), gain.exponent, eps, F
            )


def test_norm_heads_at_the_bound_of_its_width():
    """The largest sum of squares with the largest ε: S stays below 2^63, as the transcription asserts."""
    t = np.full((1, 16384), 2**25 - 1)
    gain = Vector("gain", np.full(16384, LARGEST_GAIN), 22)
    got, e = norms.norm_heads(t, np.array([-256]), 1, gain, 2**53 - 1, 30)
    assert (got[0].tolist(), int(e[0])) == literal.norm_heads(
        t[0].tolist(), -256, 1, gain.values.tolist(), 22, 2**53 - 1, 30
    )


def test_layer_norm(rng):
    for round_ in range(ROUNDS):
        d, F = int(rng.integers(1, 40)), int(rng.integers(8, 31))
        x = scaled(rng, (2, d), 0, int(rng.integers(1, 47)))
        x[1] = x[1, 0] if round_ % 4 == 0 else x[1]
        gain = Vector("gain", scaled(rng, d, 0, 23), int(rng.integers(-256, 257) if round_ % 2 else 20))
        bias = Vector("bias", scaled(rng, d, 0, 23), int(rng.integers(-256, 257) if round_ % 2 else 22))
        eps = epsilon(rng)
        got = norms.layer_norm(x, gain, bias, eps, F)
        for row in range(2):
            assert got[row].tolist() == literal.layer_norm(
                x[row].tolist(), gain.values.tolist(), gain.exponent, bias.values.tolist(), bias.exponent, eps, F
            )


def test_layer_norm_at_the_bound_of_the_hidden_size():
    x = np.where(np.arange(16384) % 2 == 0, 2**46 - 1, 1 - 2**46)[None]
    x[0, 1] = 2**46 - 1
    gain, bias = Vector("gain", np.full(16384, LARGEST_GAIN), 0), Vector("bias", np.full(16384, -LARGEST_GAIN), 0)
    got = norms.layer_norm(x, gain, bias, 2**53 - 1, 30)
    assert got[0].tolist() == literal.layer_norm(
        x[0].tolist(), gain.values.tolist(), 0, bias.values.tolist(), 0, 2**53 - 1, 30
    )


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
@pytest.mark.parametrize("normalised", [True, False])
def test_embedding(rng, pooling, normalised):
    for _ in range(ROUNDS):
        n, d = int(rng.integers(1, 9)), int(rng.integers(1, 20))
        x = scaled(rng, (n, d), 0, int(rng.integers(0, 47)))
        dimensions, F = int(rng.integers(1, d + 1)), int(rng.integers(8, 31))
        vector, exponent = norms.embedding(x, pooling, normalised, dimensions, F)
        assert len(vector) == dimensions and np.abs(vector).max() <= 2**24
        assert (vector.tolist(), exponent) == literal.embedding(x.tolist(), pooling, normalised, dimensions, F)


def test_mean_is_the_rounded_mean(rng):
    """Against exact rationals: half a unit of the residual, then half a unit of the vector."""
    for n in (1, 2, 3, 7, 8192):
        x = scaled(rng, (n, 5), 0, 46)
        vector, exponent = norms.embedding(x, "mean", False, 5, 20)
        for c in range(5):
            exact = Fraction(int(x[:, c].sum()), n) / 2**20
            assert abs(int(vector[c]) * Fraction(2) ** exponent - exact) <= (Fraction(2) ** exponent + Fraction(1, 2**20)) / 2


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0, 60000.0])
def test_rms_norm_is_the_real_rms_norm(rng, scale):
    d, F, eps = 96, 20, 1e-5
    x = rng.normal(0, scale, (50, d))
    gamma = rng.normal(1, 0.3, d)
    gain = Vector("gain", np.rint(gamma * d**0.5 * 2**18).astype(np.int64), 18)
    got = real(*norms.rms_norm(np.rint(x * 2**F).astype(np.int64), gain, round(eps * d * 4**F)))
    expected = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gamma
    assert relative(got, expected) < 1e-4


@pytest.mark.parametrize("scale", [0.001, 1.0, 300.0])
def test_norm_heads_is_the_real_norm_of_heads(rng, scale):
    width, heads, F, eps = 64, 3, 20, 1e-5
    x = rng.normal(0, scale, (50, heads, width))
    gamma = rng.normal(1, 0.3, width)
    gain = Vector("gain", np.rint(gamma * width**0.5 * 2**18).astype(np.int64), 18)
    largest = np.frexp(np.abs(x).max(axis=(1, 2)))[1] - 30
    t = np.rint(np.ldexp(x, -largest[:, None, None])).astype(np.int64).reshape(50, -1)
    got = real(*norms.norm_heads(t, largest, heads, gain, round(eps * width * 4**F), F)).reshape(x.shape)
    expected = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gamma
    assert relative(got, expected) < 5e-5


@pytest.mark.parametrize("scale", [0.05, 1.0, 300.0])
def test_layer_norm_is_the_real_layer_norm(rng, scale):
    d, F, eps = 96, 20, 1e-12
    x = rng.normal(3 * scale, scale, (50, d))
    gamma, beta = rng.normal(1, 0.3, d), rng.normal(0, 0.5, d)
    gain = Vector("gain", np.rint(gamma * d**0.5 * 2**18).astype(np.int64), 18)
    bias = Vector("bias", np.rint(beta * 2**21).astype(np.int64), 21)
    got = norms.layer_norm(np.rint(x * 2**F).astype(np.int64), gain, bias, max(1, round(eps * d * 4**F)), F) / 2**F
    variance = x.var(axis=-1, keepdims=True)
    expected = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + eps) * gamma + beta
    assert relative(got, expected) < 5e-5


def test_normalised_embeddings_have_length_one(rng):
    x = rng.normal(0, 1, (7, 384))
    vector, exponent = norms.embedding(np.rint(x * 2**20).astype(np.int64), "mean", True, 384, 20)
    got, mean = np.ldexp(vector.astype(np.float64), exponent), x.mean(axis=0)
    assert abs(np.linalg.norm(got) - 1) < 5e-5
    assert got @ mean / np.linalg.norm(got) / np.linalg.norm(mean) > 1 - 1e-9
