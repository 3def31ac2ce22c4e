"""The encoder graph of arithmetic.md section 6.2: all positions of a sequence together."""

from . import architectures, norms, operators
from .decoder import Steps


class Encoder:
    """Runs a model over whole sequences. `trace`, when given, receives every named value."""

    def __init__(self, model, trace=None):
        if model.architecture not in architectures.ENCODERS:
            raise ValueError(f"{model.architecture} is not an encoder")
        self.model = model
        self.trace = trace

    def forward(self, tokens):
        """The last residual [n, d] of a sequence."""
        config, tensors = self.model.config, self.model.tensors
        if not 0 < len(tokens) <= config.contextLength:
            raise ValueError(f"a sequence has 1…{config.contextLength} ids")
        if not all(0 <= token < config.vocabularySize for token in tokens):
            raise ValueError("token id outside the vocabulary")
        steps, bits = Steps(self.model, self.trace), config.residualFractionBits
        token = steps.named("token", "residual", operators.embed(tokens, tensors["embed_tokens"], bits))
        position = operators.embed(range(len(tokens)), tensors["embed_positions"], bits)
        steps.named("position", "residual", position)
        total = steps.named("embed_sum", "residual", operators.add_residuals(token, position))
        x = self._layer_norm(steps, "embed", total, "embed_norm")
        for layer in range(config.layers):
            x = self._block(Steps(self.model, self.trace, f"layers.{layer}."), x)
        return x

    def embedding(self, tokens, dimensions=None):
        """4.17: (vector, exponent) of a sequence."""
        config, x = self.model.config, self.forward(tokens)
        dimensions = config.hiddenSize if dimensions is None else dimensions
        if not 1 <= dimensions <= config.hiddenSize:
            raise ValueError(f"an embedding has 1…{config.hiddenSize} dimensions")
        return norms.embedding(x, config.pooling, bool(config.normalised), dimensions, config.residualFractionBits)

    def _layer_norm(self, steps, name, x, tensor):
        config = self.model.config
        gain, bias = steps.tensor(tensor), steps.tensor(tensor + ".bias")
        normed = norms.layer_norm(x, gain, bias, config.normEpsilon, config.residualFractionBits)
        return steps.named(name, "residual", normed)

    def _block(self, steps, x):
        config = self.model.config
        bits, activation = config.residualFractionBits, config.activation or "silu"
        entry = steps.named("input", "act16", operators.quantise_residual(x, bits))
        q, k, v = (steps.linear(name, entry, f"{name}_proj") for name in "qkv")
        q, k, v = (steps.bias(name, value, f"{name}_proj") for name, value in zip("qkv", (q, k, v)))
        q, k, v = steps.heads(q, k, v)
        visible = operators.visible_keys(range(len(x)), len(x), causal=False)
        attn_sum = steps.add("attn_sum", x, steps.attended(q, k, v, visible))
        x = self._layer_norm(steps, "attn_out", attn_sum, "attn_norm")
        entry = steps.named("mlp_input", "act16", operators.quantise_residual(x, bits))
        up = steps.bias("up", steps.linear("up", entry, "up_proj"), "up_proj")
        hidden = steps.named("hidden", "act16", operators.activate(*up, activation))
        down = steps.bias("down", steps.linear("down", hidden, "down_proj"), "down_proj")
        mlp_sum = steps.add("mlp_sum", x, down)
        return self._layer_norm(steps, "mlp_out", mlp_sum, "mlp_norm")
