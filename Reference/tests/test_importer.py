"""A whole directory through the importer: three number formats, shards, file lists, tokens, templates."""

import json
import struct

import numpy as np
import pytest

import accuracy
from evident_oracle import canonical, importer, pack, safetensors
from evident_oracle.canonical import Rejection
from evident_oracle.decoder import Decoder

RANDOM = accuracy.make_random(2, 24, 1, 2, 1, 8, 40, 50, tied=False)


def brain(x):
    """binary32 cut to its upper half."""
    return (np.ascontiguousarray(x, dtype="<f4").view("<u4") >> 16).astype("<u2")


ENCODE = {"F32": lambda x: x.astype("<f4"), "F16": lambda x: x.astype("<f2"), "BF16": brain}


def write_safetensors(path, arrays, dtype):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        raw = ENCODE[dtype](array).tobytes()
        offsets = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
        body += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_directory(folder, dtype="F32", shards=1, **changes):
    folder.mkdir()
    arrays, raw = RANDOM
    (folder / "config.json").write_text(json.dumps({**raw, "eos_token_id": 7, "bos_token_id": 3, **changes}))
    (folder / "tokenizer.json").write_text("{}")
    if shards == 1:
        write_safetensors(folder / "model.safetensors", arrays, dtype)
    else:
        names, weight_map = list(arrays), {}
        for shard in range(shards):
            file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
            part = names[shard::shards]
            write_safetensors(folder / file, {name: arrays[name] for name in part}, dtype)
            weight_map.update(dict.fromkeys(part, file))
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def manifest(path):
    return canonical.decode(pack.read(path)[0], "manifest")


@pytest.mark.parametrize("dtype,bits", [("F32", 23), ("F16", 10), ("BF16", 7)])
def test_number_formats(tmp_path, dtype, bits):
    folder = write_directory(tmp_path / "hf", dtype)
    arrays, _ = safetensors.read_directory(folder)
    for name, original in RANDOM[0].items():
        assert np.abs(arrays[name].astype(np.float64) - original).max() <= np.abs(original).max() * 2.0**-bits
    loaded = importer.import_directory(folder, tmp_path / "pack")
    t, _ = Decoder(loaded).forward([1, 2, 3])
    assert len(set(t[0].tolist())) > 20


def test_shards_give_the_same_weights(tmp_path):
    for shards in (1, 3):
        importer.import_directory(write_directory(tmp_path / f"hf{shards}", shards=shards), tmp_path / f"pack{shards}")
    assert pack.read(tmp_path / "pack1")[1] == pack.read(tmp_path / "pack3")[1]
    assert [file["name"] for file in manifest(tmp_path / "pack3")["source"]["files"]] == [
        "config.json",
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
    ]


def test_tokens_and_template(tmp_path):
    folder = write_directory(tmp_path / "hf")
    importer.import_directory(folder, tmp_path / "pack")
    assert manifest(tmp_path / "pack")["tokens"] == {"endOfSequence": [7], "beginOfSequence": 3}
    assert manifest(tmp_path / "pack")["blobs"]["chatTemplate"] is None
    (folder / "generation_config.json").write_text('{"eos_token_id": [2, 5]}')
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ \\u00e9 }}"}')
    importer.import_directory(folder, tmp_path / "pack")
    assert manifest(tmp_path / "pack")["tokens"] == {"endOfSequence": [2, 5], "beginOfSequence": 3}
    assert pack.read(tmp_path / "pack")[3] == "{{ \u00e9 }}".encode()
    names = [file["name"] for file in manifest(tmp_path / "pack")["source"]["files"]]
    assert names == sorted(names) and {"generation_config.json", "tokenizer_config.json"} < set(names)


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "gpt2"},
        {"hidden_act": "relu"},
        {"attention_bias": True},
        {"rope_scaling": {"rope_type": "yarn", "factor": 2}},
        {"rope_scaling": {"rope_type": "linear", "factor": 2}, "rope_parameters": {"rope_theta": 5.0}},
        {"rope_parameters": {"rope_theta": 5.0, "mrope_section": [1]}},
        {"partial_rotary_factor": 0.5},
        {"quantization_config": {"bits": 4}},
        {"architectures": ["LlamaForSequenceClassification"]},
        {"layer_types": ["sliding_attention"]},
        {"hidden_size": 25},
        {"num_hidden_layers": 2},
        {"num_hidden_layers": 0},
    ],
)
def test_what_the_architecture_lacks_is_refused(tmp_path, changes):
    with pytest.raises(Rejection):
        importer.import_directory(write_directory(tmp_path / "hf", **changes), tmp_path / "pack")


def test_tied_heads(tmp_path):
    """The head of either name; two that differ are refused, and so is a tensor that nobody asked for."""
    arrays = dict(RANDOM[0])
    embedding, head = "model.embed_tokens.weight", "lm_head.weight"
    made = []
    for number, stored in enumerate([{embedding: arrays[embedding]}, {head: arrays[embedding]}, {head: 2 * arrays[embedding]}]):
        folder = write_directory(tmp_path / str(number), tie_word_embeddings=True)
        rest = {name: array for name, array in arrays.items() if name not in (embedding, head)}
        both = {embedding: arrays[embedding]} if number == 2 else {}
        write_safetensors(folder / "model.safetensors", {**rest, **stored, **both}, "F32")
        if number < 2:
            made.append(importer.import_directory(folder, tmp_path / "pack"))
        else:
            with pytest.raises(Rejection, match="differs"):
                importer.import_directory(folder, tmp_path / "pack")
    assert (made[0].tensors["lm_head"].weights == made[1].tensors["lm_head"].weights).all()
    folder = write_directory(tmp_path / "more")
    write_safetensors(folder / "model.safetensors", {**arrays, "model.layers.0.self_attn.q_proj.bias": np.zeros(16)}, "F32")
    with pytest.raises(Rejection, match="q_proj.bias"):
        importer.import_directory(folder, tmp_path / "pack")
    ignored = {**arrays, "model.layers.0.self_attn.rotary_emb.inv_freq": np.zeros(4)}
    write_safetensors(folder / "model.safetensors", ignored, "F32")
    importer.import_directory(folder, tmp_path / "pack")


def test_four_bits_where_groups_are_whole(tmp_path):
    """Of this model only nothing has inputs in multiples of 32 but a wider one's down_proj."""
    arrays, raw = accuracy.make_random(2, 48, 1, 2, 1, 8, 64, 50, tied=False)
    loaded = accuracy.convert(arrays, raw, bits=4)
    four = {name for name, tensor in loaded.tensors.items() if tensor.kind == "linear4"}
    assert four == {"layers.0.down_proj"}
