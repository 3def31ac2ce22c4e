"""The decoder graphs of arithmetic.md section 6.1 with a growing key-value cache."""

import numpy as np

from . import architectures, linears, norms, operators


class Decoder:
    """Runs a model over token ids. `trace`, when given, receives every named value.

    Any split of a prompt into calls of `forward` gives the same values.
    """

    def __init__(self, model, trace=None):
        if model.architecture not in architectures.DECODERS:
            raise ValueError(f"{model.architecture} is not a decoder")
        self.model = model
        self.trace = trace
        self.position = 0
        empty = [[] for _ in range(model.config.layers)]
        self._keys = [list(layer) for layer in empty]
        self._values = [list(layer) for layer in empty]

    def forward(self, tokens):
        """Consumes ids at the next positions; returns the logits (t [n, V], e [n]) of all of them."""
        config, tensors = self.model.config, self.model.tensors
        if self.position + len(tokens) > config.contextLength:
            raise ValueError(f"the context holds {config.contextLength} positions")
        if not all(0 <= token < config.vocabularySize for token in tokens):
            raise ValueError("token id outside the vocabulary")
        steps = Steps(self.model, self.trace)
        table = tensors["lm_head"] if config.tiedEmbeddings else tensors["embed_tokens"]
        x = operators.embed(tokens, table, config.residualFractionBits, config.embeddingScale)
        steps.named("embed", "residual", x)
        for layer in range(config.layers):
            x = self._attention_block(layer, x)
            x = self._mlp_block(layer, x)
        self.position += len(tokens)
        normed = steps.named("final_norm", "act16", norms.rms_norm(x, tensors["norm"], config.normEpsilon))
        logits = steps.linear("logits", normed, "lm_head")
        if config.logitsSoftcap is not None:
            logits = steps.named("logits_capped", "act32", operators.softcap(*logits, config.logitsSoftcap))
        return logits

    def _attention_block(self, layer, x):
        model, config = self.model, self.model.config
        steps, width = Steps(model, self.trace, f"layers.{layer}."), config.headDimension
        local = layer in (config.localLayers or ())
        positions = range(self.position, self.position + len(x))
        normed = norms.rms_norm(x, steps.tensor("input_layernorm"), config.normEpsilon)
        steps.named("attn_norm", "act16", normed)
        q, k, v = (steps.linear(name, normed, f"{name}_proj") for name in "qkv")
        q, k, v = (steps.bias(name, value, f"{name}_proj") for name, value in zip("qkv", (q, k, v)))
        if config.headNormEpsilon is not None:
            q = steps.norm_heads("q_normed", q, config.heads, "q_norm", config.headNormEpsilon)
            k = steps.norm_heads("k_normed", k, config.keyValueHeads, "k_norm", config.headNormEpsilon)
        if layer not in (config.ropelessLayers or ()):
            phases = model.localFrequencies if local and model.localFrequencies is not None else model.frequencies
            q = steps.named("q_rope", "act32", operators.rope(*q, positions, phases, width))
            k = steps.named("k_rope", "act32", operators.rope(*k, positions, phases, width))
        q, k, v = steps.heads(q, k, v)
        self._keys[layer].append(k)
        self._values[layer].append(v)
        keys = tuple(np.concatenate(part) for part in zip(*self._keys[layer]))
        values = tuple(np.concatenate(part) for part in zip(*self._values[layer]))
        visible = operators.visible_keys(positions, len(keys[0]), config.window if local else None)
        o = steps.attended(q, keys, values, visible)
        if model.architecture in architectures.POST_NORMS:
            o = steps.norm_heads("o_normed", o, 1, "post_attention_norm", config.normEpsilon)
        return steps.add("attn_out", x, o)

    def _mlp_block(self, layer, x):
        model, config = self.model, self.model.config
        steps, activation = Steps(model, self.trace, f"layers.{layer}."), config.activation or "silu"
        normed = norms.rms_norm(x, steps.tensor("post_attention_layernorm"), config.normEpsilon)
        steps.named("mlp_norm", "act16", normed)
        if config.experts is None:
            gate, up = (steps.linear(name, normed, f"{name}_proj") for name in ("gate", "up"))
            gate, up = steps.bias("gate", gate, "gate_proj"), steps.bias("up", up, "up_proj")
            hidden = steps.named("hidden", "act16", operators.gated(*gate, *up, activation))
            down = steps.bias("down", steps.linear("down", hidden, "down_proj"), "down_proj")
        else:
            down = self._experts(steps, normed, activation)
        if model.architecture in architectures.POST_NORMS:
            down = steps.norm_heads("down_normed", down, 1, "post_feedforward_norm", config.normEpsilon)
        return steps.add("mlp_out", x, down)

    def _experts(self, steps, normed, activation):
        config = self.model.config
        router = steps.linear("router", normed, "router")
        routes = linears.route(*router, config.expertsPerToken, not config.expertSharesOfAll)
        steps.named("routes", "routes", routes)
        gate, up = (
            steps.named(name, "act32", linears.expert_linear(
                *normed, routes, steps.tensor(f"experts.{name}_proj"), config.experts))
            for name in ("gate", "up")
        )
        hidden = steps.named("hidden", "act16", operators.gated(*gate, *up, activation))
        down = linears.expert_sum(*hidden, routes, steps.tensor("experts.down_proj"), config.experts)
        return steps.named("down", "act32", down)


class Steps:
    """Operators on the tensors of one layer, each naming its value for the trace."""

    def __init__(self, model, trace, prefix=""):
        self._model, self._trace, self._prefix = model, trace, prefix

    def tensor(self, name):
        return self._model.tensors[self._prefix + name]

    def named(self, name, kind, value):
        if self._trace is not None:
            self._trace.record(self._prefix + name, kind, value)
        return value

    def linear(self, name, value, weight):
        return self.named(name, "act32", linears.linear(*value, self.tensor(weight)))

    def bias(self, name, value, projection):
        """addBias where the configuration lists the projection, otherwise the value itself."""
        if projection not in (self._model.config.biases or ()):
            return value
        return self.named(name + "_biased", "act32", linears.add_bias(*value, self.tensor(projection + ".bias")))

    def norm_heads(self, name, value, heads, gain, epsilon):
        bits = self._model.config.residualFractionBits
        return self.named(name, "act32", norms.norm_heads(*value, heads, self.tensor(gain), epsilon, bits))

    def heads(self, q, k, v):
        width = self._model.config.headDimension
        limits = (operators.query_limit(width), 4095, 4095)
        return [
            self.named(f"{name}_heads", "heads16", operators.quantise_heads(*value, width, limit))
            for name, value, limit in zip("qkv", (q, k, v), limits)
        ]

    def attended(self, q, keys, values, visible):
        """From the heads to the last value on the way from o."""
        attended = operators.attention(q, keys, values, visible, self._model.config.attentionSoftcap)
        self.named("attn", "heads32", attended)
        merged = self.named("attn_merged", "act16", operators.merge_heads(*attended))
        return self.bias("o", self.linear("o", merged, "o_proj"), "o_proj")

    def add(self, name, x, value):
        return self.named(name, "residual", operators.add(x, *value, self._model.config.residualFractionBits))
