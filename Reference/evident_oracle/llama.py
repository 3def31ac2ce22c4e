"""The Llama graph of arithmetic.md section 6 with a growing key-value cache."""

import numpy as np

from . import operators


class Llama:
    """Runs a model over token ids. `trace`, when given, receives every named value.

    Any split of a prompt into calls of `forward` gives the same values.
    """

    def __init__(self, model, trace=None):
        self.model = model
        self.trace = trace
        self.position = 0
        empty = [[] for _ in range(model.config.layers)]
        self._keys = [list(layer) for layer in empty]
        self._values = [list(layer) for layer in empty]

    def _named(self, name, kind, value):
        if self.trace is not None:
            self.trace.record(name, kind, value)
        return value

    def forward(self, tokens):
        """Consumes ids at the next positions; returns the logits (t [n, V], e [n]) of all of them."""
        config, tensors = self.model.config, self.model.tensors
        if self.position + len(tokens) > config.contextLength:
            raise ValueError(f"the context holds {config.contextLength} positions")
        if not all(0 <= token < config.vocabularySize for token in tokens):
            raise ValueError("token id outside the vocabulary")
        table = tensors["lm_head"] if config.tiedEmbeddings else tensors["embed_tokens"]
        x = operators.embed(tokens, table, config.residualFractionBits)
        self._named("embed", "residual", x)
        for layer in range(config.layers):
            x = self._attention_block(layer, x)
            x = self._mlp_block(layer, x)
        self.position += len(tokens)
        normed = operators.rms_norm(x, tensors["norm"], config.normEpsilon)
        self._named("final_norm", "act16", normed)
        return self._named("logits", "act32", operators.linear(*normed, tensors["lm_head"]))

    def _attention_block(self, layer, x):
        config, tensors, prefix = self.model.config, self.model.tensors, f"layers.{layer}."
        head_dimension = config.headDimension

        def named(name, kind, value):
            return self._named(prefix + name, kind, value)

        normed = operators.rms_norm(x, tensors[prefix + "input_layernorm"], config.normEpsilon)
        named("attn_norm", "act16", normed)
        q, k, v = (
            named(name, "act32", operators.linear(*normed, tensors[f"{prefix}{name}_proj"])) for name in "qkv"
        )
        positions = range(self.position, self.position + len(x))
        phases = self.model.frequencies
        q = named("q_rope", "act32", operators.rope(*q, positions, phases, head_dimension))
        k = named("k_rope", "act32", operators.rope(*k, positions, phases, head_dimension))
        limit = operators.query_limit(head_dimension)
        q = named("q_heads", "heads16", operators.quantise_heads(*q, head_dimension, limit))
        k = named("k_heads", "heads16", operators.quantise_heads(*k, head_dimension, 4095))
        v = named("v_heads", "heads16", operators.quantise_heads(*v, head_dimension, 4095))
        self._keys[layer].append(k)
        self._values[layer].append(v)
        keys = tuple(np.concatenate(part) for part in zip(*self._keys[layer]))
        values = tuple(np.concatenate(part) for part in zip(*self._values[layer]))
        attended = named("attn", "heads32", operators.attention(q, keys, values, self.position))
        merged = named("attn_merged", "act16", operators.merge_heads(*attended))
        o = named("o", "act32", operators.linear(*merged, tensors[prefix + "o_proj"]))
        return named("attn_out", "residual", operators.add(x, *o, config.residualFractionBits))

    def _mlp_block(self, layer, x):
        config, tensors, prefix = self.model.config, self.model.tensors, f"layers.{layer}."

        def named(name, kind, value):
            return self._named(prefix + name, kind, value)

        normed = operators.rms_norm(x, tensors[prefix + "post_attention_layernorm"], config.normEpsilon)
        named("mlp_norm", "act16", normed)
        gate = named("gate", "act32", operators.linear(*normed, tensors[prefix + "gate_proj"]))
        up = named("up", "act32", operators.linear(*normed, tensors[prefix + "up_proj"]))
        hidden = named("hidden", "act16", operators.swiglu(*gate, *up))
        down = named("down", "act32", operators.linear(*hidden, tensors[prefix + "down_proj"]))
        return named("mlp_out", "residual", operators.add(x, *down, config.residualFractionBits))
