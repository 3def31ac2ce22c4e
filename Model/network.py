"""The network of evident-tiny: a small Llama in plain PyTorch.

Tensor names and layouts are those of the Hugging Face `LlamaForCausalLM`
checkpoint, so a state dict can be written out without any renaming:
RMSNorm before each block, rotary embedding in the rotate-half form,
grouped-query attention, SwiGLU, tied input and output embedding, no biases.

Shapes in comments: B batch, T positions, H query heads, G key/value heads,
D head width, C residual width, F feed-forward width, V vocabulary.
"""

from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass(frozen=True)
class Shape:
    """Hyperparameters, named as in the Hugging Face configuration."""

    vocab_size: int
    hidden_size: int = 256
    intermediate_size: int = 688
    num_hidden_layers: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 64
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 1024
    dropout: float = 0.0  # training only; not part of the checkpoint

    @property
    def num_attention_heads(self):
        return self.hidden_size // self.head_dim


def row_scale(weight):
    """One positive scale per output row: max|w| / 127.  Shape (rows, 1)."""
    return weight.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127.0


def quantise(weight):
    """Symmetric int8 per row, as the product does on import: (q, s)."""
    scale = row_scale(weight)
    return torch.round(weight / scale).clamp_(-127, 127), scale


class FakeQuantise(torch.autograd.Function):
    """q * s in the forward pass, the identity in the backward pass."""

    @staticmethod
    def forward(_context, weight):
        q, scale = quantise(weight)
        return q * scale

    @staticmethod
    def backward(_context, gradient):
        return gradient


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


def rotate(x, cos, sin):
    """Rotary embedding, rotate-half form.  x: (B, heads, T, D); cos, sin: (T, D)."""
    half = x.shape[-1] // 2
    rotated = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + rotated * sin


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        wide, narrow = shape.num_attention_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, wide, bias=False)
        self.k_proj = nn.Linear(shape.hidden_size, narrow, bias=False)
        self.v_proj = nn.Linear(shape.hidden_size, narrow, bias=False)
        self.o_proj = nn.Linear(wide, shape.hidden_size, bias=False)

    def forward(self, x, weights, cos, sin):
        batch, length, _ = x.shape
        shape, groups = self.shape, self.shape.num_attention_heads // self.shape.num_key_value_heads

        def heads(projection, count):
            return F.linear(x, weights(projection.weight)).view(batch, length, count, shape.head_dim).transpose(1, 2)

        q = rotate(heads(self.q_proj, shape.num_attention_heads), cos, sin)
        k = rotate(heads(self.k_proj, shape.num_key_value_heads), cos, sin)
        v = heads(self.v_proj, shape.num_key_value_heads)
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return F.linear(mixed.transpose(1, 2).reshape(batch, length, -1), weights(self.o_proj.weight))


class FeedForward(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x, weights):
        gate = F.silu(F.linear(x, weights(self.gate_proj.weight)))
        return F.linear(gate * F.linear(x, weights(self.up_proj.weight)), weights(self.down_proj.weight))


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.input_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)
        self.mlp = FeedForward(shape)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x, weights, cos, sin):
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), weights, cos, sin))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x), weights))


class Body(nn.Module):
    """Everything below the output head; the `model.` prefix of the checkpoint."""

    def __init__(self, shape):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.norm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)


class TinyLlama(nn.Module):
    """The whole network.

    `fake_quantise` makes every matrix act through its int8 rounding.
    `lm_head` is None while the head is tied to the embedding table.
    """

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        self.lm_head = None
        self.dropout = nn.Dropout(shape.dropout)
        self.fake_quantise = False
        inverse = 1.0 / shape.rope_theta ** (torch.arange(0, shape.head_dim, 2).float() / shape.head_dim)
        angles = torch.outer(torch.arange(shape.max_position_embeddings).float(), inverse)
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                depth = (2 * shape.num_hidden_layers) ** -0.5 if residual else 1.0
                nn.init.normal_(parameter, std=depth * (0.02 if "embed" in name else 0.6 * parameter.shape[1] ** -0.5))

    def matrices(self):
        """Every tensor the product quantises, by name."""
        return {name: p for name, p in self.named_parameters() if p.dim() == 2}

    def hidden(self, tokens):
        """tokens: (B, T) -> normalised residual stream (B, T, C) and head matrix (V, C)."""
        weights = FakeQuantise.apply if self.fake_quantise else (lambda weight: weight)
        length = tokens.shape[1]
        table = weights(self.model.embed_tokens.weight)
        x, cos, sin = self.dropout(F.embedding(tokens, table)), self.cos[:length], self.sin[:length]
        for layer in self.model.layers:
            x = layer(x, weights, cos, sin)
        return self.model.norm(x), table if self.lm_head is None else weights(self.lm_head)

    def forward(self, tokens):
        """tokens: (B, T) -> logits (B, T, V)."""
        x, head = self.hidden(tokens)
        return F.linear(x, head)


@torch.no_grad()
def snap(network):
    """Puts every matrix exactly on its int8 grid and checks that it stays there."""
    for name, parameter in network.matrices().items():
        q, scale = quantise(parameter)
        parameter.copy_(q * scale)
        again, _ = quantise(parameter)
        assert torch.equal(q, again), f"{name}: quantising twice differs"
        assert bool((q.abs().amax(dim=1) == 127).all()), f"{name}: a row does not reach 127"


@torch.no_grad()
def generate(network, tokens, stop, tokens_max=160):
    """Greedy continuation of one token list; the smallest id wins a tie."""
    out = list(tokens)
    while len(out) - len(tokens) < tokens_max and len(out) < network.shape.max_position_embeddings:
        choice = int(network(torch.tensor([out]))[0, -1].argmax())
        if choice == stop:
            break
        out.append(choice)
    return out[len(tokens):]
