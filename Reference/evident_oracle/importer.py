"""Conversion of a Hugging Face directory to a pack, without any framework."""

import os

import numpy as np

from . import conversion, huggingface, model, pooling
from .architectures import ENCODERS, tensor_shapes
from .canonical import Rejection
from .safetensors import read_directory
from .weights import GROUP

GEMMA_NORMS = {
    "post_attention_norm": "post_attention_layernorm",
    "post_attention_layernorm": "pre_feedforward_layernorm",
    "post_feedforward_norm": "post_feedforward_layernorm",
}
BERT_LAYER = {
    "q_proj": "attention.self.query", "k_proj": "attention.self.key", "v_proj": "attention.self.value",
    "o_proj": "attention.output.dense", "up_proj": "intermediate.dense", "down_proj": "output.dense",
    "attn_norm": "attention.output.LayerNorm", "mlp_norm": "output.LayerNorm",
}
BERT_EMBEDDINGS = {
    "embed_tokens": "embeddings.word_embeddings", "embed_positions": "embeddings.position_embeddings",
    "embed_norm": "embeddings.LayerNorm",
}
IGNORED = {
    "bert": ("pooler.", "cls.", "embeddings.position_ids"),
    "gemma3": tuple(a + b for a in ("", "model.") for b in ("vision_tower.", "multi_modal_projector.")),
}
MIXTRAL_EXPERTS = {"gate_proj": "w1", "up_proj": "w3", "down_proj": "w2"}


class Source:
    """The arrays of a directory under the names of model.md; remembers which were taken."""

    def __init__(self, arrays, description):
        self.arrays, self.description = arrays, description
        self.taken = set()
        if description.architecture == "bert":
            self.arrays = {_bert_name(name): array for name, array in arrays.items()}
        if description.architecture == "gemma3":
            self.arrays = {_gemma3_name(name): array for name, array in arrays.items()}

    def take(self, name):
        if name not in self.arrays:
            raise Rejection(f"{name} is missing")
        self.taken.add(name)
        return self.arrays[name]

    def tensor(self, name):
        """The array of a tensor of model.md, in floating point."""
        if self.description.architecture == "bert":
            return self._bert(name)
        if name in ("lm_head", "embed_tokens", "norm"):
            return self._outer(name)
        _, layer, inner = name.split(".", 2)
        return self._decoder(f"model.layers.{layer}.", inner)

    def _outer(self, name):
        if name == "norm":
            return self._gemma(self.take("model.norm.weight"))
        embedding, head = "model.embed_tokens.weight", "lm_head.weight"
        if not self.description.config.tiedEmbeddings:
            return self.take(head if name == "lm_head" else embedding)
        stored = [self.take(source) for source in (embedding, head) if source in self.arrays]
        if len(stored) == 2 and not np.array_equal(*stored):
            raise Rejection("embeddings are tied but lm_head.weight differs")
        return stored[0] if stored else self.take(embedding)

    def _gemma(self, gain):
        return 1 + gain.astype(np.float64) if self.description.architecture in huggingface.GEMMA else gain

    def _decoder(self, prefix, inner):
        architecture = self.description.architecture
        if inner.endswith("norm"):
            path = f"self_attn.{inner}" if inner in ("q_norm", "k_norm") else inner
            if architecture in huggingface.GEMMA:
                path = GEMMA_NORMS.get(inner, path)
            return self._gemma(self.take(f"{prefix}{path}.weight"))
        experts = "block_sparse_moe" if architecture == "mixtral" else "mlp"
        if inner == "router":
            return self.take(f"{prefix}{experts}.gate.weight")
        if inner.startswith("experts."):
            projection = inner.removeprefix("experts.")
            last = MIXTRAL_EXPERTS[projection] if architecture == "mixtral" else projection
            numbers = range(self.description.config.experts)
            return np.concatenate([self.take(f"{prefix}{experts}.experts.{x}.{last}.weight") for x in numbers])
        if architecture == "phi3" and inner not in ("o_proj", "down_proj"):
            return self._fused(prefix, inner)
        projection, _, what = inner.partition(".")
        part = "self_attn" if projection[0] in "qkvo" else "mlp"
        return self.take(f"{prefix}{part}.{projection}.{what or 'weight'}")

    def _fused(self, prefix, inner):
        config = self.description.config
        q, kv = config.heads * config.headDimension, config.keyValueHeads * config.headDimension
        i = config.intermediateSize
        start, count, path = {
            "q_proj": (0, q, "self_attn.qkv_proj"), "k_proj": (q, kv, "self_attn.qkv_proj"),
            "v_proj": (q + kv, kv, "self_attn.qkv_proj"), "gate_proj": (0, i, "mlp.gate_up_proj"),
            "up_proj": (i, i, "mlp.gate_up_proj"),
        }[inner]
        rows = self.take(f"{prefix}{path}.weight")
        expected = 2 * i if path.startswith("mlp") else q + 2 * kv
        if len(rows) != expected:
            raise Rejection(f"{prefix}{path}.weight has {len(rows)} rows, not {expected}")
        return rows[start : start + count]

    def _bert(self, name):
        base, _, what = name.removesuffix(".bias").rpartition(".")
        path = BERT_EMBEDDINGS.get(what)
        if path is None:
            path = f"encoder.layer.{base.split('.')[1]}.{BERT_LAYER[what]}"
        array = self.take(path + (".bias" if name.endswith(".bias") else ".weight"))
        if what == "embed_positions":
            return array.astype(np.float64) + self.take("embeddings.token_type_embeddings.weight")[0].astype(np.float64)
        return array

    def refuse_others(self):
        ignored = IGNORED.get(self.description.architecture, ())
        for name in sorted(set(self.arrays) - self.taken):
            if not name.endswith(".self_attn.rotary_emb.inv_freq") and not name.startswith(ignored):
                raise Rejection(f"{name} is no tensor of {self.description.architecture}")


def _bert_name(name):
    name = name.removeprefix("bert.")
    for older, newer in ((".gamma", ".weight"), (".beta", ".bias")):
        if name.endswith(older):
            return name.removesuffix(older) + newer
    return name


def _gemma3_name(name):
    """Names within a model that also sees images."""
    for prefix in ("language_model.model.", "model.language_model."):
        if name.startswith(prefix):
            return "model." + name.removeprefix(prefix)
    return "lm_head." + name.removeprefix("language_model.lm_head.") if name.startswith("language_model.lm_head.") else name


def convert_tensors(description, arrays, bits=8, head=None):
    """Every tensor of the architecture; the head has 8 bits unless `head` says otherwise."""
    source, tensors = Source(arrays, description), {}
    for name, (kinds, shape) in tensor_shapes(description.architecture, description.config).items():
        array = source.tensor(name)
        if list(array.shape) != shape:
            raise Rejection(f"{name} has shape {list(array.shape)}, not {shape}")
        tensors[name] = _converted(name, kinds, array, _factor(name, description), bits, head)
    source.refuse_others()
    return tensors


def _factor(name, description):
    """What the scales of rows, or the elements of a gain or bias, are multiplied by."""
    config, inner = description.config, name.split(".", 2)[-1]
    if inner == "router":
        return conversion.LOG2_E
    normed = config.headNormEpsilon is not None
    if inner == "q_norm":
        return np.array(description.queryFactor)
    if inner in ("q_proj", "q_proj.bias") and not normed:
        return np.tile(description.queryFactor, config.heads)
    return 1.0


def _converted(name, kinds, array, factor, bits, head):
    if kinds == ("gain",):
        return conversion.gain(name, array, factor)
    if kinds == ("bias",):
        return conversion.bias(name, array, factor)
    if kinds == ("table16",):
        return conversion.matrix(name, array, 32767)
    if name == "lm_head":
        bits = head or 8
    if bits == 16 and "linear16" in kinds:
        return conversion.matrix(name, array, 32767, factor, "linear16")
    if bits == 4 and "linear4" in kinds and array.shape[1] % GROUP == 0:
        return conversion.linear4(name, array, factor)
    return conversion.matrix(name, array, 127, factor)


def _chat_template(directory):
    path = os.path.join(directory, "chat_template.jinja")
    if os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    template = huggingface.optional_json(directory, "tokenizer_config.json").get("chat_template")
    if isinstance(template, list):
        template = next((item["template"] for item in template if item.get("name") == "default"), None)
    return None if template is None else template.encode("utf-8")


def import_directory(directory, path, bits=None, head=None):
    """Converts a directory to a pack and returns the loaded model; `bits` None is 16 for encoders, 8 otherwise."""
    description = huggingface.read(directory)
    bits = bits or (16 if description.architecture in ENCODERS else 8)
    arrays, weight_files = read_directory(directory)
    generation = huggingface.optional_json(directory, "generation_config.json")

    def token(name):
        return generation[name] if generation.get(name) is not None else description.raw.get(name)

    end = token("eos_token_id")
    optional = ["generation_config.json", "tokenizer_config.json", "chat_template.jinja"]
    if description.architecture == "bert":
        optional += pooling.files(directory)
    names = weight_files + ["config.json", "tokenizer.json"]
    names += [name for name in optional if os.path.exists(os.path.join(directory, name))]
    contents = {}
    for name in names:
        with open(os.path.join(directory, name), "rb") as file:
            contents[name] = file.read()
    return model.save(
        path,
        description.architecture,
        description.config,
        convert_tensors(description, arrays, bits, head),
        description.frequencies,
        {
            "endOfSequence": end if isinstance(end, list) else [] if end is None else [end],
            "beginOfSequence": token("bos_token_id"),
        },
        contents["tokenizer.json"],
        _chat_template(directory),
        [{"name": name, **model.described(contents[name])} for name in sorted(contents, key=str.encode)],
        description.localFrequencies,
    )
