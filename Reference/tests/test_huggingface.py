"""config.json of models that people have, and what the page says of members that are absent or null."""

import json
import math

import pytest

from evident_oracle import frequencies, huggingface, pooling
from evident_oracle.canonical import Rejection

SIZES = {
    "hidden_size": 64, "num_hidden_layers": 8, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "intermediate_size": 96, "vocab_size": 100, "max_position_embeddings": 4096, "rms_norm_eps": 1e-6,
}
LOG2_E = 1.4426950408889634


def described(model_type, **changes):
    raw = {name: value for name, value in {**SIZES, **changes}.items() if value != "absent"}
    return huggingface.describe({"model_type": model_type, **raw})


def optional(description):
    """The members beyond those that every model has."""
    return {name: value for name, value in list(vars(description.config).items())[11:] if value is not None}


def test_llama():
    plain = described("llama")
    assert plain.architecture == "llama" and optional(plain) == {} and not plain.config.tiedEmbeddings
    assert plain.frequencies == frequencies.frequencies(1e4, 8) and plain.localFrequencies is None
    assert plain.queryFactor == [LOG2_E / 4] * 16
    biased = described("llama", attention_bias=True, mlp_bias=True)
    assert biased.config.biases == ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert described("llama", head_dim="absent", num_key_value_heads=None).config.keyValueHeads == 4
    assert described("llama", sliding_window=9).config.window is None
    assert described("llama", hidden_act="gelu_pytorch_tanh").config.activation == "geluTanh"
    newer = described("llama", rope_parameters={"rope_theta": 5e5, "rope_type": "default"})
    assert newer.frequencies == described("llama", rope_theta=5e5).frequencies != plain.frequencies


def test_llama_3_scaling_in_both_forms():
    scaling = {
        "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 512,
        "rope_type": "llama3",
    }
    older = described("llama", rope_theta=5e5, rope_scaling=scaling)
    newer = described("llama", rope_parameters={**scaling, "rope_theta": 5e5})
    assert older.frequencies == newer.frequencies != described("llama", rope_theta=5e5).frequencies
    assert older.config.contextLength == 4096
    # The member at the top of the file counts first.
    moved = described("llama", rope_theta=5e5, rope_scaling=scaling, original_max_position_embeddings=64)
    assert moved.frequencies != older.frequencies


def test_windows():
    every = list(range(8))
    assert optional(described("mistral")) == {"window": 4096, "localLayers": every}
    assert optional(described("mistral", sliding_window=None)) == {}
    assert optional(described("mixtral", sliding_window=None, num_local_experts=4)) == {
        "experts": 4, "expertsPerToken": 2,
    }
    assert optional(described("phi3", sliding_window=2047)) == {"window": 2047, "localLayers": every}
    biases = {"biases": ["k_proj", "q_proj", "v_proj"]}
    assert optional(described("qwen2", sliding_window=100)) == biases
    switched = described("qwen2", use_sliding_window=True, sliding_window=100, max_window_layers=6)
    assert optional(switched) == {**biases, "window": 100, "localLayers": [6, 7]}
    assert optional(described("qwen2", use_sliding_window=True, sliding_window=100)) == biases
    types = ["full_attention"] * 5 + ["sliding_attention"] + ["full_attention"] * 2
    listed = described("qwen3", use_sliding_window=True, max_window_layers=0, layer_types=types)
    assert listed.config.localLayers == [5] and listed.config.window == 4096
    moe = described("qwen3_moe", use_sliding_window=True, moe_intermediate_size=32, num_experts=4, num_experts_per_tok=2)
    assert moe.config.localLayers == every
    for wrong in ({"layer_types": types}, {"layer_types": types, "sliding_window": 9, "use_sliding_window": False}):
        with pytest.raises(Rejection):
            described("qwen3", **wrong)
    with pytest.raises(Rejection):
        described("mistral", layer_types=types)


def test_qwen3():
    dense = described("qwen3", head_dim=16)
    assert optional(dense) == {"headNormEpsilon": round(1e-6 * 16 * 2**40)}
    assert described("qwen3", head_dim="absent").config.headDimension == 128
    assert described("qwen3", attention_bias=True).config.biases == ["k_proj", "o_proj", "q_proj", "v_proj"]
    moe = dict(moe_intermediate_size=32, num_experts=8, num_experts_per_tok=3)
    assert optional(described("qwen3_moe", **moe))["expertSharesOfAll"] is True
    normalised = described("qwen3_moe", norm_topk_prob=True, **moe)
    assert "expertSharesOfAll" not in optional(normalised) and normalised.config.intermediateSize == 32
    assert (normalised.config.experts, normalised.config.expertsPerToken) == (8, 3)
    for wrong in ({"mlp_only_layers": [0]}, {"decoder_sparse_step": 2}):
        with pytest.raises(Rejection):
            described("qwen3_moe", **moe, **wrong)


def test_smollm3():
    default = described("smollm3")
    assert optional(default) == {"ropelessLayers": [3, 7]} and default.config.tiedEmbeddings
    assert default.frequencies == frequencies.frequencies(2e6, 8)
    listed = described("smollm3", no_rope_layers=[1, 1, 0, 1, 1, 1, 1, 1], use_sliding_window=True, sliding_window=64)
    assert optional(listed) == {"ropelessLayers": [2], "window": 64, "localLayers": [2]}
    assert optional(described("smollm3", no_rope_layers=[1] * 8)) == {}


def test_phi3():
    longrope = dict(
        rope_scaling={"type": "su", "short_factor": [1.0, 2.0, 3.0, 4.0], "long_factor": [9.0] * 4},
        max_position_embeddings=131072, original_max_position_embeddings=4096, partial_rotary_factor=0.5,
    )
    description = described("phi3", **longrope)
    turns = frequencies.turns(1e4, 4)
    assert description.frequencies == [math.floor(math.ldexp(t / (n + 1), 64)) for n, t in enumerate(turns)]
    assert description.config.contextLength == 4096
    larger = LOG2_E / 4 * (1 + math.log(32) / math.log(4096))
    assert description.queryFactor[:8] == pytest.approx([larger] * 8, rel=1e-15)
    assert description.queryFactor[8:] == [LOG2_E / 4] * 8
    with pytest.raises(Rejection):
        described("phi3", partial_rotary_factor=0.7)


def test_gemma():
    second = described("gemma2", query_pre_attn_scalar=144)
    assert optional(second) == {
        "activation": "geluTanh", "embeddingScale": 8 * 2**14, "window": 4096, "localLayers": [0, 2, 4, 6],
        "attentionSoftcap": round(50 * LOG2_E * 4096), "logitsSoftcap": 30 * 65536,
    }
    assert second.config.tiedEmbeddings and second.queryFactor == [LOG2_E / 12] * 16
    bare = described("gemma2", attn_logit_softcapping=None, final_logit_softcapping=None, head_dim="absent")
    assert bare.config.headDimension == 256 and bare.config.logitsSoftcap is None is bare.config.attentionSoftcap
    third = described("gemma3_text", sliding_window=512, hidden_size=72)
    assert optional(third) == {
        "activation": "geluTanh", "embeddingScale": round(math.sqrt(72) * 2**14), "window": 512,
        "localLayers": [0, 1, 2, 3, 4, 6, 7], "headNormEpsilon": round(1e-6 * 16 * 2**40),
    }
    assert third.frequencies == frequencies.frequencies(1e6, 8)
    assert third.localFrequencies == frequencies.frequencies(1e4, 8)
    scaled = {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}, "sliding_attention": {}}
    newer = described("gemma3_text", rope_parameters=scaled)
    older = described("gemma3_text", rope_scaling={"rope_type": "linear", "factor": 8.0})
    assert newer.frequencies == older.frequencies != third.frequencies
    assert newer.localFrequencies == older.localFrequencies == third.localFrequencies
    for wrong in ({"attn_logit_softcapping": 50.0}, {"use_bidirectional_attention": True}):
        with pytest.raises(Rejection):
            described("gemma3_text", **wrong)


def test_gemma_that_also_sees_images():
    text = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 8, "eos_token_id": 5, "head_dim": None}
    raw = {"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 9}, "eos_token_id": [1, 106]}
    description = huggingface.describe(raw)
    config = description.config
    assert (config.vocabularySize, config.heads, config.keyValueHeads, config.headDimension) == (262208, 8, 4, 256)
    assert config.contextLength == 131072 and description.raw["eos_token_id"] == [1, 106]


def write(folder, name, value):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def test_pooling(tmp_path):
    assert pooling.members(tmp_path) == {"pooling": "mean", "normalised": True} and pooling.files(tmp_path) == []
    kinds = ["Transformer", "Pooling", "Normalize"]
    modules = [{"path": "" if n == 0 else f"{n}_x", "type": f"sentence_transformers.models.{kind}"} for n, kind in enumerate(kinds)]
    for count, normalised in ((3, True), (2, None)):
        write(tmp_path, "modules.json", modules[:count])
        for mode, name in pooling.MODES.items():
            write(tmp_path, "1_x/config.json", {"word_embedding_dimension": 8, mode: True, "pooling_mode_max_tokens": False})
            assert pooling.members(tmp_path) == {"pooling": name, "normalised": normalised}
    assert pooling.files(tmp_path) == ["modules.json", "1_x/config.json"]
    wrong_modes = ({"pooling_mode_max_tokens": True}, {}, {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True})
    for wrong in wrong_modes:
        write(tmp_path, "1_x/config.json", wrong)
        with pytest.raises(Rejection):
            pooling.members(tmp_path)
    for wrong in ([modules[0]], modules[::-1], [*modules, modules[2]]):
        write(tmp_path, "modules.json", wrong)
        with pytest.raises(Rejection):
            pooling.members(tmp_path)


def test_bert():
    raw = {
        "model_type": "bert", "architectures": ["BertModel"], "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 9,
        "num_attention_heads": 4, "intermediate_size": 96, "max_position_embeddings": 32,
    }
    description = huggingface.describe(raw, {"pooling": "cls", "normalised": None})
    biases = ["down_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert optional(description) == {"activation": "gelu", "biases": biases, "pooling": "cls"}
    assert description.config.normEpsilon == round(1e-12 * 64 * 2**40) and description.frequencies == []
    for wrong in ({"is_decoder": True}, {"position_embedding_type": "relative_key"}, {"architectures": ["BertLMHeadModel"]}):
        with pytest.raises(Rejection):
            huggingface.describe({**raw, **wrong}, {"pooling": "cls"})
