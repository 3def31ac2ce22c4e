"""Every architecture and weight format: graphs, configurations, and the float32 answers of transformers."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_model import rewritten

from evident_oracle import architectures, importer, model, operators, random_model, safetensors
from evident_oracle.architectures import ARCHITECTURES, DECODERS
from evident_oracle.canonical import Rejection
from evident_oracle.decoder import Decoder
from evident_oracle.encoder import Encoder
from evident_oracle.trace import Trace

SIZES = dict(
    hiddenSize=64, layers=3, heads=4, keyValueHeads=2, headDimension=16, intermediateSize=96, vocabularySize=41,
    contextLength=32,
)
TOKENS = [int(t) for t in np.random.default_rng(3).integers(0, 41, 20)]


def made(path, architecture, seed, weight_format="mixed", rotating=None, vary=True, **fields):
    sizes = {**SIZES, **({"keyValueHeads": 4} if architecture == "bert" else {}), **fields}
    config = random_model.base_config(architecture, **sizes)
    config = random_model.varied_config(architecture, config, seed) if vary else config
    return random_model.make(
        path, seed, config, architecture=architecture, weight_format=weight_format, rotating=rotating
    )


def traced(loaded, tokens, step=None):
    trace = Trace()
    if loaded.architecture == "bert":
        Encoder(loaded, trace).forward(tokens)
        return trace.digests()
    decoder = Decoder(loaded, trace)
    for start in range(0, len(tokens), step or len(tokens)):
        decoder.forward(tokens[start : start + (step or len(tokens))])
    return trace.digests()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("architecture", DECODERS)
def test_prefill_equals_single_steps(tmp_path, architecture, seed):
    """With every optional member that the architecture allows, in some of the seeds."""
    loaded = made(tmp_path / "m", architecture, seed, rotating=[16, 10, 0][seed])
    whole = traced(loaded, TOKENS)
    assert whole == traced(loaded, TOKENS, 1) == traced(loaded, TOKENS, 7)
    # A value of earlier positions does not depend on later ones.
    t, _ = Decoder(loaded).forward(TOKENS)
    again, _ = Decoder(loaded).forward(TOKENS[:9])
    assert (t[:9] == again).all()


@pytest.mark.parametrize("weight_format", random_model.FORMATS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_values_are_alive(tmp_path, architecture, weight_format):
    loaded = made(tmp_path / "m", architecture, 1, weight_format)
    if architecture == "bert":
        rows = Encoder(loaded).forward(TOKENS)
    else:
        rows, _ = Decoder(loaded).forward(TOKENS)
    assert all(len(set(row.tolist())) > 10 for row in rows) and len({row.tobytes() for row in rows}) == len(rows)
    kinds = {tensor.kind for tensor in loaded.tensors.values()}
    assert ("linear4" in kinds) == (weight_format in ("4bit", "mixed"))
    assert ("linear16" in kinds) == (weight_format in ("16bit", "mixed"))
    assert ("linear4m" in kinds) == (weight_format in ("4bit-minimums", "mixed"))
    assert (model.load(tmp_path / "m").digest, loaded.config) == (loaded.digest, model.load(tmp_path / "m").config)


def test_four_bit_weights_keep_their_bytes(tmp_path):
    loaded = made(tmp_path / "m", "llama", 9, "mixed")
    again = model.save(
        tmp_path / "n", "llama", loaded.config, loaded.tensors, loaded.frequencies,
        {"endOfSequence": loaded.endOfSequence, "beginOfSequence": None}, b"{}", None, [],
    )
    assert again.digest == loaded.digest


NAMES = {
    "llama": ["q", "k", "v", "q_rope", "k_rope", "q_heads", "k_heads", "v_heads", "attn", "attn_merged", "o"],
    "qwen2": ["q", "k", "v", "q_biased", "k_biased", "v_biased", "q_rope"],
    "qwen3": ["q", "k", "v", "q_normed", "k_normed", "q_rope", "k_rope", "q_heads"],
    "gemma2": ["o", "o_normed", "attn_out", "mlp_norm", "gate", "up", "hidden", "down", "down_normed", "mlp_out"],
    "gemma3": ["v", "q_normed", "k_normed", "q_rope"],
    "mixtral": ["mlp_norm", "router", "routes", "gate", "up", "hidden", "down", "mlp_out"],
    "qwen3moe": ["mlp_norm", "router", "routes", "gate", "up", "hidden", "down", "mlp_out"],
    "smollm3": ["q", "k", "v", "q_heads", "k_heads", "v_heads"],
    "bert": [
        "input", "q", "k", "v", "q_heads", "k_heads", "v_heads", "attn", "attn_merged", "o", "attn_sum", "attn_out",
        "mlp_input", "up", "hidden", "down", "mlp_sum", "mlp_out",
    ],
}


@pytest.mark.parametrize("architecture", NAMES)
def test_names_of_the_graph(tmp_path, architecture):
    extra = {
        "qwen2": {"biases": ["k_proj", "q_proj", "v_proj"]}, "smollm3": {"ropelessLayers": [1]},
        "gemma2": {"logitsSoftcap": 2**20},
    }.get(architecture, {})
    names = list(traced(made(tmp_path / "m", architecture, 1, "8bit", vary=False, **extra), TOKENS))
    wanted = [f"layers.1.{name}" for name in NAMES[architecture]]
    at = names.index(wanted[0])
    assert names[at : at + len(wanted)] == wanted
    last = {"bert": "layers.2.mlp_out", "gemma2": "logits_capped"}.get(architecture, "logits")
    assert names[-1] == last
    assert names[:4] == ["token", "position", "embed_sum", "embed"] or names[0] == "embed"


# What each member changes: a graph that ignored it would give the same logits.
CHANGES = {
    "activation": ("llama", {"activation": "geluTanh"}),
    "attentionSoftcap": ("gemma2", {"attentionSoftcap": 2**13}),
    "logitsSoftcap": ("gemma2", {"logitsSoftcap": 2**17}),
    "embeddingScale": ("gemma3", {"embeddingScale": 3 * 2**14}),
    "expertsPerToken": ("mixtral", {"expertsPerToken": 3}),
    "expertSharesOfAll": ("qwen3moe", {"expertSharesOfAll": True}),
    "headNormEpsilon": ("qwen3", {"headNormEpsilon": 2**46}),
    "ropelessLayers": ("smollm3", {"ropelessLayers": [0, 2]}),
    "window": ("mistral", {"window": 4, "localLayers": [1]}),
    "localLayers": ("gemma3", {"window": 2**20, "localLayers": [0]}),
    "pooling": ("bert", {"pooling": "last"}),
    "normalised": ("bert", {"normalised": True}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_member_matters(tmp_path, name):
    architecture, change = CHANGES[name]
    made(tmp_path / "m", architecture, 4, vary=False)
    results = []
    for _ in range(2):
        loaded = model.load(tmp_path / "m")
        if architecture == "bert":
            results.append(Encoder(loaded).embedding(TOKENS)[0])
        else:
            results.append(Decoder(loaded).forward(TOKENS)[0])
        rewritten(tmp_path / "m", lambda manifest: manifest["config"].update(change))
    assert (results[0] != results[1]).any()
    if name == "window":
        # As long as no position is out of sight, nothing changes in the layers before.
        assert (results[0][:4] == results[1][:4]).all()


REFUSED = [
    ("qwen3", {"headNormEpsilon": None}), ("mixtral", {"experts": None}), ("mixtral", {"expertsPerToken": 6}),
    ("mixtral", {"experts": 1025}), ("mixtral", {"expertSharesOfAll": False}), ("mixtral", {"biases": ["up_proj"]}),
    ("gemma2", {"embeddingScale": 2**14}), ("gemma2", {"embeddingScale": 2**22}), ("gemma2", {"attentionSoftcap": 4095}),
    ("gemma2", {"logitsSoftcap": 2**29}), ("smollm3", {"ropelessLayers": []}), ("bert", {"pooling": None}),
    ("bert", {"pooling": "max"}), ("bert", {"normalised": False}), ("bert", {"contextLength": 8193}),
    ("bert", {"tiedEmbeddings": True}), ("bert", {"window": 1, "localLayers": [0]}), ("bert", {"biases": ["gate_proj"]}),
    ("llama", {"ropelessLayers": [0]}), ("qwen2", {"expertSharesOfAll": True}),
]


@pytest.mark.parametrize("architecture,change", REFUSED)
def test_configurations_that_are_refused(architecture, change):
    sizes = {**SIZES, **({"keyValueHeads": 4} if architecture == "bert" else {})}
    members = random_model.base_config(architecture, **sizes).members()
    architectures.checked_config(architecture, members)
    members = {name: value for name, value in {**members, **change}.items() if value is not None}
    with pytest.raises(Rejection):
        architectures.checked_config(architecture, members)


def test_four_bit_weights_need_whole_groups(tmp_path):
    made(tmp_path / "m", "llama", 1, "8bit", intermediateSize=90)

    def four_bits(manifest):
        tensor = next(t for t in manifest["tensors"] if t["name"] == "layers.0.down_proj")
        tensor.update(kind="linear4")

    rewritten(tmp_path / "m", four_bits)
    with pytest.raises(Rejection, match="whole groups"):
        model.load(tmp_path / "m")


def test_an_encoder_sees_the_whole_sequence(tmp_path):
    loaded = made(tmp_path / "m", "bert", 2)
    first = [Encoder(loaded).forward(tokens)[0] for tokens in ([5, 6, 7], [5, 6, 8])]
    assert (first[0] != first[1]).any()
    assert (Encoder(loaded).forward([5, 6, 7])[0] == first[0]).all()
    short, _ = Encoder(loaded).embedding([5, 6, 7], 10)
    assert len(short) == 10
    for wrong in ([], [41], [1] * 33):
        with pytest.raises(ValueError):
            Encoder(loaded).forward(wrong)
