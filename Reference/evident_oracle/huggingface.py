"""What config.json of each architecture means: model.md, "Hugging Face directories"."""

import json
import math
import os
from dataclasses import dataclass

from . import conversion, frequencies, pooling
from .architectures import ATTENTION_PROJECTIONS, HEAD_NORMS, Config
from .canonical import Rejection

# model_type → (architecture, the name in `architectures`).
FAMILIES = {
    "bert": ("bert", ("BertModel", "BertForMaskedLM")),
    "gemma2": ("gemma2", ("Gemma2ForCausalLM",)),
    "gemma3": ("gemma3", ("Gemma3ForConditionalGeneration",)),
    "gemma3_text": ("gemma3", ("Gemma3ForCausalLM",)),
    "llama": ("llama", ("LlamaForCausalLM",)),
    "mistral": ("mistral", ("MistralForCausalLM",)),
    "mixtral": ("mixtral", ("MixtralForCausalLM",)),
    "phi3": ("phi3", ("Phi3ForCausalLM",)),
    "qwen2": ("qwen2", ("Qwen2ForCausalLM",)),
    "qwen3": ("qwen3", ("Qwen3ForCausalLM",)),
    "qwen3_moe": ("qwen3moe", ("Qwen3MoeForCausalLM",)),
    "smollm3": ("smollm3", ("SmolLM3ForCausalLM",)),
}
ACTIVATION = {
    "silu": None, "swish": None, "gelu": "gelu", "gelu_pytorch_tanh": "geluTanh", "gelu_new": "geluTanh",
    "gelu_fast": "geluTanh",
}
MLP_PROJECTIONS = ("down_proj", "gate_proj", "up_proj")
GEMMA = ("gemma2", "gemma3")
# What config.json may leave out, where that is not the same for every architecture.
DEFAULTS = {
    "bert": {"layer_norm_eps": 1e-12, "hidden_act": "gelu"},
    "gemma2": {
        "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "tie_word_embeddings": True, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    },
    "gemma3": {
        "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256, "sliding_window": 4096,
        "tie_word_embeddings": True, "rope_theta": 1e6, "rope_local_base_freq": 1e4, "sliding_window_pattern": 6,
    },
    "mistral": {"sliding_window": 4096},
    "mixtral": {"num_local_experts": 8, "num_experts_per_tok": 2, "rope_theta": 1e6},
    "phi3": {"original_max_position_embeddings": 4096},
    "qwen2": {"sliding_window": 4096, "max_window_layers": 28},
    "qwen3": {"sliding_window": 4096, "max_window_layers": 28, "head_dim": 128},
    "qwen3moe": {"sliding_window": 4096},
    "smollm3": {"rope_theta": 2e6, "tie_word_embeddings": True, "no_rope_layer_interval": 4},
}
NULL_MEANS_NONE = {
    "mistral": ("sliding_window",), "gemma2": ("attn_logit_softcapping", "final_logit_softcapping"),
}
MULTIMODAL_DEFAULTS = {
    "vocab_size": 262208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
    "max_position_embeddings": 131072, "rms_norm_eps": 1e-6,
}
ROPE_MEMBERS = {
    "rope_theta", "partial_rotary_factor", "rope_type", "type", "factor", "low_freq_factor", "high_freq_factor",
    "original_max_position_embeddings", "short_factor", "long_factor", "attention_factor",
}


@dataclass(frozen=True)
class Description:
    """config.json, read: everything that conversion needs besides the tensors."""

    architecture: str
    config: Config
    frequencies: list
    localFrequencies: object
    queryFactor: list
    """For each element of a head."""
    raw: dict


def optional_json(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read(directory):
    """The description of a directory."""
    raw = optional_json(directory, "config.json")
    if raw.get("model_type") != "bert":
        return describe(raw)
    return describe(raw, pooling.members(directory))


def describe(raw, pooled=None):
    """The description of a config.json and, of an encoder, the members that its pooling gives."""
    family, named = FAMILIES.get(raw.get("model_type"), (None, ()))
    if family is None:
        raise Rejection(f"model_type {raw.get('model_type')} is not supported")
    if not set(raw.get("architectures") or named) <= set(named):
        raise Rejection(f"architectures {raw['architectures']} of {family} is not supported")
    return _Reader(family, _text_model(raw)).description(pooled)


def _text_model(raw):
    """Of a Gemma 3 with a vision tower, the configuration of its text model."""
    if raw["model_type"] != "gemma3":
        return raw
    outside = ("eos_token_id", "bos_token_id", "quantization_config")
    outer = {name: raw[name] for name in outside if raw.get(name) is not None}
    given = {name: value for name, value in raw["text_config"].items() if value is not None}
    return {**MULTIMODAL_DEFAULTS, **given, **outer}


class _Reader:
    """The members of config.json, with the defaults of the architecture."""

    def __init__(self, architecture, raw):
        self.architecture, self.raw = architecture, raw
        self.layers = range(raw["num_hidden_layers"])

    def get(self, name, default=None):
        """A value of null counts as absent, except where null is named."""
        if name in self.raw and (
            self.raw[name] is not None or name in NULL_MEANS_NONE.get(self.architecture, ())
        ):
            return self.raw[name]
        return DEFAULTS.get(self.architecture, {}).get(name, default)

    def description(self, pooled):
        self._refuse()
        encoder = self.architecture == "bert"
        d, heads = self.raw["hidden_size"], self.raw["num_attention_heads"]
        context = self.raw["max_position_embeddings"]
        width = self.get("head_dim") or d // heads
        rope, local = self._rope()
        phases, local_phases = [], None
        if not encoder:
            half = _rotating(width, rope) // 2
            phases = frequencies.scaled(rope["rope_theta"], half, rope)
            local_phases = frequencies.scaled(local["rope_theta"], half, local) if local else None
            if frequencies.scaling_kind(rope) == "longrope":
                context = min(context, rope["original_max_position_embeddings"])
        moe = self.architecture == "qwen3moe"
        config = Config(
            hiddenSize=d,
            layers=len(self.layers),
            heads=heads,
            keyValueHeads=heads if encoder else self.get("num_key_value_heads", heads),
            headDimension=width,
            intermediateSize=self.raw["moe_intermediate_size" if moe else "intermediate_size"],
            vocabularySize=self.raw["vocab_size"],
            contextLength=context,
            residualFractionBits=20,
            normEpsilon=conversion.epsilon(self.get("layer_norm_eps" if encoder else "rms_norm_eps"), d),
            tiedEmbeddings=not encoder and bool(self.get("tie_word_embeddings", False)),
            **self._optional(width),
            **(pooled or {}),
        )
        scalar = self.get("query_pre_attn_scalar") if self.architecture in GEMMA else width
        factor = conversion.LOG2_E / math.sqrt(scalar)
        turned = factor * frequencies.longrope_query_factor(rope, self.raw["max_position_embeddings"])
        factors = [turned if c < 2 * len(phases) else factor for c in range(width)]
        return Description(self.architecture, config, phases, local_phases, factors, self.raw)

    def _refuse(self):
        """What would change the graph and is not in the specification."""
        for name in ("use_bidirectional_attention", "is_decoder", "add_cross_attention", "quantization_config"):
            if self.raw.get(name):
                raise Rejection(f"{name} is not supported")
        if self.raw.get("position_embedding_type", "absolute") != "absolute":
            raise Rejection("position_embedding_type is not absolute")
        if self.architecture == "qwen3moe" and (
            self.raw.get("mlp_only_layers") or self.raw.get("decoder_sparse_step", 1) != 1
        ):
            raise Rejection("mlp_only_layers and decoder_sparse_step are not supported")
        if self.architecture == "gemma3" and self.raw.get("attn_logit_softcapping") is not None:
            raise Rejection("attn_logit_softcapping is not supported")
        if self.raw.get("mlp_bias") and self.architecture not in ("llama", "smollm3"):
            raise Rejection("mlp_bias is not supported")
        if self.raw.get("attention_bias") and self.architecture in ("mistral", "mixtral", "phi3", "qwen2", "bert"):
            raise Rejection("attention_bias is not supported")

    def _rope(self):
        """(of the layers, of local layers or None): `rope_theta`, the kind of scaling and its members."""
        if self.architecture == "bert":
            return {}, None
        given, older = self.raw.get("rope_parameters") or {}, self.raw.get("rope_scaling") or {}
        if given and older:
            raise Rejection("rope_parameters and rope_scaling are both given")
        local = None
        if self.architecture == "gemma3":
            local = {"rope_theta": self.get("rope_local_base_freq")}
            if given.keys() & {"full_attention", "sliding_attention"}:
                local |= given.get("sliding_attention") or {}
                given = given.get("full_attention") or {}
        rope = {"rope_theta": self.get("rope_theta", 1e4), **older, **given}
        for members in (rope, local or {}):
            if members.keys() - ROPE_MEMBERS:
                raise Rejection(f"rope_parameters has members that are not supported: {sorted(members)}")
        kind = rope.get("rope_type", rope.get("type", "default"))
        rope["rope_type"] = "longrope" if self.architecture == "phi3" and kind in ("su", "yarn") else kind
        rope["original_max_position_embeddings"] = (
            self.raw.get("original_max_position_embeddings")
            or rope.get("original_max_position_embeddings")
            or self.get("original_max_position_embeddings", self.raw["max_position_embeddings"])
        )
        if rope.get("partial_rotary_factor") is None:
            rope["partial_rotary_factor"] = self.get("partial_rotary_factor", 1)
        if self.architecture != "phi3" and rope["partial_rotary_factor"] != 1:
            raise Rejection("partial_rotary_factor is not supported")
        return rope, local

    def _optional(self, width):
        """The optional members of the configuration; None where it has none."""
        members = {"biases": self._biases(), **self._window()}
        activation = self.get("hidden_activation" if self.architecture in GEMMA else "hidden_act", "silu")
        if activation not in ACTIVATION:
            raise Rejection(f"activation {activation} is not supported")
        members["activation"] = ACTIVATION[activation]
        if self.architecture in HEAD_NORMS:
            members["headNormEpsilon"] = conversion.epsilon(self.raw["rms_norm_eps"], width)
        if self.architecture in GEMMA:
            members |= self._gemma()
        if self.architecture in ("mixtral", "qwen3moe"):
            members["experts"] = self.get("num_experts", self.get("num_local_experts"))
            members["expertsPerToken"] = self.get("num_experts_per_tok")
        if self.architecture == "qwen3moe" and not self.get("norm_topk_prob", False):
            members["expertSharesOfAll"] = True
        if self.architecture == "smollm3":
            members["ropelessLayers"] = self._ropeless() or None
        return members

    def _biases(self):
        if self.architecture == "bert":
            return sorted(set(ATTENTION_PROJECTIONS) | {"down_proj", "up_proj"})
        if self.architecture == "qwen2":
            return ["k_proj", "q_proj", "v_proj"]
        attention = ATTENTION_PROJECTIONS if self.raw.get("attention_bias") else ()
        return sorted((*attention, *(MLP_PROJECTIONS if self.raw.get("mlp_bias") else ()))) or None

    def _ropeless(self):
        rotates = self.get("no_rope_layers")
        if rotates is not None:
            return [n for n in self.layers if not rotates[n]]
        return [n for n in self.layers if (n + 1) % self.get("no_rope_layer_interval") == 0]

    def _window(self):
        """`window` and `localLayers`, or nothing."""
        window, types = self.get("sliding_window"), self.get("layer_types")
        if self.architecture in ("llama", "bert"):
            window = None
        if self.architecture in ("qwen2", "qwen3", "qwen3moe", "smollm3") and not self.get("use_sliding_window"):
            window = None
        local = [] if window is None else [n for n in self.layers if self._is_local(n)]
        if types is not None:
            named = [n for n in self.layers if types[n] == "sliding_attention"]
            fixed = self.architecture in ("llama", "mistral", "mixtral", "phi3", "qwen3moe")
            if (named and window is None) or (fixed and named != local):
                raise Rejection("layer_types does not fit the window")
            local = named
        return {"window": window, "localLayers": local} if local else {}

    def _is_local(self, n):
        """Whether a layer has the window where `layer_types` does not say so."""
        if self.architecture == "gemma2":
            return n % 2 == 0
        if self.architecture == "gemma3":
            return (n + 1) % self.get("sliding_window_pattern") != 0
        if self.architecture == "smollm3":
            return n in self._ropeless()
        return self.architecture in ("mistral", "mixtral", "phi3", "qwen3moe") or n >= self.get("max_window_layers")

    def _gemma(self):
        members = {"embeddingScale": conversion.round_to_integer(math.ldexp(math.sqrt(self.raw["hidden_size"]), 14))}
        attention, logits = self.get("attn_logit_softcapping"), self.get("final_logit_softcapping")
        if attention is not None:
            members["attentionSoftcap"] = conversion.round_to_integer(math.ldexp(attention * conversion.LOG2_E, 12))
        if logits is not None:
            members["logitsSoftcap"] = conversion.round_to_integer(math.ldexp(logits, 16))
        return members


def _rotating(width, rope):
    turning = int(width * rope["partial_rotary_factor"])
    if turning % 2:
        raise Rejection(f"an odd number of elements rotates: {turning}")
    return turning
