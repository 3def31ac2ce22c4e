"""Llama in binary64, to measure what the integer arithmetic costs. No bit of the profile depends on it.

`plain` is the textbook model over Hugging Face weights. `Mixed` runs over the real values of a pack's
tensors and can take any set of operators from the integer arithmetic, to find where precision goes.
"""

import math

import numpy as np

from . import norms, operators, tables
from .integers import RS, quantise

OPERATORS = (
    "embed norm linear rope query_heads key_heads value_heads attention merge swiglu add".split()
)


def _rms_norm(x, gain, eps):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps) * gain


def _rotate(x, angles):
    """x [n, heads, hd], angles [n, hd/2]; pairs (i, i + hd/2)."""
    half = x.shape[-1] // 2
    cos, sin = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def _silu(x):
    return x / (1 + np.exp(-np.clip(x, -700, None)))


def plain(raw, arrays, tokens, observe=None):
    """Logits [n, V] of a Hugging Face Llama; `raw` is config.json with defaults filled in.

    `observe(name of the norm's gain, residual)` sees the input of every norm.
    """

    def weight(name):
        return arrays[name + ".weight"].astype(np.float64)

    n, heads, kv_heads, head_dimension = (
        len(tokens), raw["num_attention_heads"], raw["num_key_value_heads"], raw["head_dim"]
    )
    inverse = float(raw["rope_theta"]) ** (-np.arange(0, head_dimension, 2) / head_dimension)
    angles = np.arange(n)[:, None] * inverse[None, :]
    eps = raw["rms_norm_eps"]
    future = np.triu(np.full((n, n), -np.inf), 1)
    x = weight("model.embed_tokens")[tokens]
    for layer in range(raw["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        if observe:
            observe(prefix + "input_layernorm.weight", x)
        normed = _rms_norm(x, weight(prefix + "input_layernorm"), eps)
        q, k, v = (
            (normed @ weight(f"{prefix}self_attn.{name}_proj").T).reshape(n, -1, head_dimension) for name in "qkv"
        )
        q, k = _rotate(q, angles), _rotate(k, angles)
        k, v = (np.repeat(part, heads // kv_heads, axis=1) for part in (k, v))
        scores = np.einsum("ihc,jhc->hij", q, k) / math.sqrt(head_dimension) + future
        p = np.exp(scores - scores.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        attended = np.einsum("hij,jhc->ihc", p, v).reshape(n, -1)
        x = x + attended @ weight(prefix + "self_attn.o_proj").T
        if observe:
            observe(prefix + "post_attention_layernorm.weight", x)
        normed = _rms_norm(x, weight(prefix + "post_attention_layernorm"), eps)
        gate, up = normed @ weight(prefix + "mlp.gate_proj").T, normed @ weight(prefix + "mlp.up_proj").T
        x = x + (_silu(gate) * up) @ weight(prefix + "mlp.down_proj").T
    if observe:
        observe("model.norm.weight", x)
    tied = raw.get("tie_word_embeddings", False)
    return _rms_norm(x, weight("model.norm"), eps) @ weight("model.embed_tokens" if tied else "lm_head").T


def _fine(x, bits=29):
    """Integers of about `bits` bits and one exponent per row that represent x almost exactly."""
    largest = np.abs(x).max(axis=-1)
    e = np.frexp(largest)[1].astype(np.int64) - bits
    return np.rint(np.ldexp(x, -e[:, None])).astype(np.int64), e


def _coarse(x, limit):
    """Q over the last axis of real numbers."""
    t, e = _fine(x.reshape(-1, x.shape[-1]))
    q, k = quantise(t, limit)
    return np.ldexp(q.astype(np.float64), (e + k)[:, None]).reshape(x.shape)


class Mixed:
    """Binary64 over a pack's real weights, with the operators named in `integer` replaced by their exact form."""

    def __init__(self, model, integer=()):
        unknown = set(integer) - set(OPERATORS)
        if unknown:
            raise ValueError(f"unknown operators {unknown}")
        self.model, self.integer = model, set(integer)
        self.real = {name: tensor.real() for name, tensor in model.tensors.items()}

    def _residual(self, x, name):
        scale = 2.0**self.model.config.residualFractionBits
        return np.rint(x * scale) / scale if name in self.integer else x

    def _norm(self, x, name):
        config, tensor = self.model.config, self.model.tensors[name]
        if "norm" not in self.integer:
            eps = config.normEpsilon / 4.0**config.residualFractionBits
            return x / np.sqrt((x * x).sum(axis=-1, keepdims=True) + eps) * self.real[name]
        fixed = np.rint(x * 2.0**config.residualFractionBits).astype(np.int64)
        q, e = norms.rms_norm(fixed, tensor, config.normEpsilon)
        return np.ldexp(q.astype(np.float64), e[:, None])

    def _linear(self, x, name):
        y = x @ self.real[name].T
        if "linear" not in self.integer:
            return y
        tensor = self.model.tensors[name]
        t, e = _fine(x)
        step = e + quantise(t, 32767)[1] + sum(tensor.shifts()) - tensor.exponent
        return np.ldexp(np.rint(np.ldexp(y, -step[:, None])), step[:, None])

    def _rope(self, x, n):
        phases, head_dimension = self.model.frequencies, self.model.config.headDimension
        if "rope" in self.integer:
            t, e = operators.rope(*_fine(x), range(n), phases, head_dimension)
            return np.ldexp(t.astype(np.float64), e[:, None]).reshape(n, -1, head_dimension)
        turns = np.array([[(p * f % 2**64) / 2.0**64 for f in phases] for p in range(n)]).reshape(n, -1)
        return _rotate(x.reshape(n, -1, head_dimension), 2 * math.pi * turns)

    def _attention(self, q, k, v):
        n = len(q)
        group = q.shape[1] // k.shape[1]
        k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
        scores = np.einsum("ihc,jhc->hij", q, k) + np.triu(np.full((n, n), -np.inf), 1)
        delta = scores.max(axis=-1, keepdims=True) - scores
        if "attention" in self.integer:
            units = np.rint(np.minimum(delta, 2.0**18) * 4096).astype(np.int64)
            p = RS(tables.POWER[units % 4096] << 9, units // 4096).astype(np.float64)
        else:
            p = np.exp2(-delta)
        return np.einsum("hij,jhc->ihc", p / p.sum(axis=-1, keepdims=True), v)

    def _swiglu(self, gate, up):
        if "swiglu" not in self.integer:
            return _silu(gate) * up
        q, e = operators.gated(*_fine(gate), *_fine(up), "silu")
        return np.ldexp(q.astype(np.float64), e[:, None])

    def forward(self, tokens):
        """Logits [n, V]."""
        config, n = self.model.config, len(tokens)
        query_limit = operators.query_limit(config.headDimension)
        x = self._residual(self.real["lm_head" if config.tiedEmbeddings else "embed_tokens"][tokens], "embed")
        for layer in range(config.layers):
            prefix = f"layers.{layer}."
            normed = self._norm(x, prefix + "input_layernorm")
            q, k, v = (self._linear(normed, f"{prefix}{name}_proj") for name in "qkv")
            q, k, v = self._rope(q, n), self._rope(k, n), v.reshape(n, -1, config.headDimension)
            q = _coarse(q, query_limit) if "query_heads" in self.integer else q
            k = _coarse(k, 4095) if "key_heads" in self.integer else k
            v = _coarse(v, 4095) if "value_heads" in self.integer else v
            attended = self._attention(q, k, v).reshape(n, -1)
            attended = _coarse(attended, 32767) if "merge" in self.integer else attended
            x = self._residual(x + self._linear(attended, prefix + "o_proj"), "add")
            normed = self._norm(x, prefix + "post_attention_layernorm")
            gate, up = (self._linear(normed, f"{prefix}{name}_proj") for name in ("gate", "up"))
            x = self._residual(x + self._linear(self._swiglu(gate, up), prefix + "down_proj"), "add")
        return self._linear(self._norm(x, "norm"), "lm_head")
