"""Packs: what the reader refuses, and that a model does not depend on how positions are grouped."""

import struct

import numpy as np
import pytest

from evident_oracle import canonical, model, pack, random_model, sampling
from evident_oracle.canonical import Rejection
from evident_oracle.decoder import Decoder
from evident_oracle.trace import Trace, encodings

SHAPES = [
    dict(hiddenSize=33, heads=3, keyValueHeads=1, headDimension=6, intermediateSize=17, tiedEmbeddings=True),
    dict(hiddenSize=64, heads=4, keyValueHeads=4, headDimension=16, intermediateSize=129, tiedEmbeddings=False),
    dict(hiddenSize=20, heads=2, keyValueHeads=1, headDimension=256, intermediateSize=65, tiedEmbeddings=False),
    dict(hiddenSize=1, heads=1, keyValueHeads=1, headDimension=2, intermediateSize=1, tiedEmbeddings=True),
]


def config(architecture="llama", **fields):
    sizes = dict(layers=2, vocabularySize=41, contextLength=32, normEpsilon=1 << 30)
    return random_model.base_config(architecture, **{**sizes, **SHAPES[0], **fields})


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "model.evpack"
    random_model.make(path, 1, config())
    return path


def traced(loaded, tokens, step):
    trace = Trace()
    decoder = Decoder(loaded, trace)
    for start in range(0, len(tokens), step):
        decoder.forward(tokens[start : start + step])
    return trace.digests()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("massive", [False, True])
def test_prefill_equals_single_steps(tmp_path, shape, massive):
    loaded = random_model.make(tmp_path / "m", 5, config(**shape), massive)
    tokens = [int(t) for t in np.random.default_rng(3).integers(0, 41, 20)]
    whole = traced(loaded, tokens, 20)
    assert whole == traced(loaded, tokens, 1) == traced(loaded, tokens, 7)
    assert list(whole)[:4] == ["embed", "layers.0.attn_norm", "layers.0.q", "layers.0.k"]
    assert list(whole)[-3:] == ["layers.1.mlp_out", "final_norm", "logits"] and len(whole) == 3 + 2 * 19


def test_values_are_alive(packed):
    decoder = Decoder(model.load(packed))
    t, _ = decoder.forward(list(range(10)))
    # A token whose row has the multiplier 0 gives nothing but zeros.
    assert sum(len(set(row.tolist())) > 20 for row in t) >= 8 and len({row.tobytes() for row in t}) >= 8


def test_same_arguments_same_pack(tmp_path):
    made = [random_model.make(tmp_path / name, seed, config()).digest for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = made
    assert first == again != other


def test_generation_ends(packed):
    loaded = model.load(packed)
    key = bytes(32)
    output, finish = sampling.generate(Decoder(loaded), [1, 2], 4, sampling.Parameters(), key)
    assert len(output) == 4 and finish == "length"
    stopping = model.Model(**{**vars(loaded), "endOfSequence": [output[1]]})
    assert sampling.generate(Decoder(stopping), [1, 2], 4, sampling.Parameters(), key) == (
        output[: output.index(output[1]) + 1], "stop",
    )
    output, finish = sampling.generate(Decoder(loaded), [1] * 30, 100, sampling.Parameters(temperatureMicros=1000), key)
    assert finish == "stop" or len(output) == 2


def test_trace_encodings():
    assert encodings("residual", np.array([[1, -1]])) == [b"\1" + bytes(7) + b"\xff" * 8]
    assert encodings("act16", (np.array([[1, -2]]), np.array([-3]))) == [b"\xfd\xff\xff\xff\1\0\xfe\xff"]
    heads = (np.array([[[1], [2]]]), np.array([[3, 4]]))
    assert encodings("heads32", heads) == [struct.pack("<4i", 3, 1, 4, 2)]
    routes = (np.array([[7, 2]]), np.array([[2**24, 0]]))
    assert encodings("routes", routes) == [struct.pack("<4i", 7, 2**24, 2, 0)]
    with pytest.raises(OverflowError):
        encodings("act16", (np.array([[32768]]), np.array([0])))


def rewritten(path, change):
    """The pack with its manifest changed (digests of the directory follow)."""
    entries = pack.read(path)
    manifest = canonical.decode(entries[0], "manifest")
    change(manifest)
    pack.write(path, [canonical.encode(manifest)] + entries[1:])


CHANGES = {
    "schema": lambda m: m.update(schema="evident.model.v2"),
    "extra member": lambda m: m.update(note=1),
    "extra member deep": lambda m: m["tensors"][0].update(note=1),
    "missing member": lambda m: m["config"].pop("layers"),
    "odd head": lambda m: m["config"].update(headDimension=7),
    "fraction bits": lambda m: m["config"].update(residualFractionBits=31),
    "epsilon": lambda m: m["config"].update(normEpsilon=0),
    "context": lambda m: m["config"].update(contextLength=2**20 + 1),
    "boolean as integer": lambda m: m["config"].update(layers=True),
    "frequency": lambda m: m["rope"]["frequencies"].__setitem__(0, "00"),
    "no end": lambda m: m["tokens"].update(endOfSequence=[]),
    "end outside": lambda m: m["tokens"].update(endOfSequence=[41]),
    "order": lambda m: m["tensors"].reverse(),
    "overlap": lambda m: m["tensors"][1].update(offset=0),
    "unaligned": lambda m: m["tensors"][1].update(offset=m["tensors"][1]["offset"] + 1),
    "shape": lambda m: m["tensors"][0].update(shape=[1, 1]),
    "exponent": lambda m: m["tensors"][0].update(exponent=257),
    "past the end": lambda m: m["tensors"][-1].update(bytes=2**40),
    "blob digest": lambda m: m["blobs"]["weights"].update(digest="sha256:" + "0" * 64),
    "null weights": lambda m: m["blobs"].update(weights=None),
    "architecture": lambda m: m.update(architecture="gpt2"),
    "architecture with other tensors": lambda m: m.update(architecture="bert"),
    "silu stated": lambda m: m["config"].update(activation="silu"),
    "no biases stated": lambda m: m["config"].update(biases=[]),
    "bias without its tensor": lambda m: m["config"].update(biases=["q_proj"]),
    "window alone": lambda m: m["config"].update(window=3),
    "local layers alone": lambda m: m["config"].update(localLayers=[0]),
    "window of no position": lambda m: m["config"].update(window=0, localLayers=[0]),
    "local layer that is not there": lambda m: m["config"].update(window=3, localLayers=[2]),
    "local layers unsorted": lambda m: m["config"].update(window=3, localLayers=[1, 0]),
    "a member of another architecture": lambda m: m["config"].update(headNormEpsilon=5),
    "caps of another architecture": lambda m: m["config"].update(logitsSoftcap=2**20),
    "pooling of a decoder": lambda m: m["config"].update(pooling="mean"),
    "local frequencies": lambda m: m["rope"].update(localFrequencies=m["rope"]["frequencies"]),
    "too many frequencies": lambda m: m["rope"]["frequencies"].append("0" * 16),
    "table of four bits": lambda m: m["tensors"][0].update(kind="linear4"),
    "source": lambda m: m["source"].update(format="pickle"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_manifest_is_strict(packed, name):
    model.load(packed)
    rewritten(packed, CHANGES[name])
    with pytest.raises(Rejection):
        model.load(packed)


def test_every_flipped_bit_is_refused(packed, rng):
    data = packed.read_bytes()
    for at in {*range(0, 200), *rng.integers(0, len(data), 100).tolist(), len(data) - 1}:
        changed = bytearray(data)
        changed[at] ^= 1
        packed.write_bytes(changed)
        with pytest.raises(Rejection):
            model.load(packed)
    for changed in (data[:-1], data + b"\0", data[:7], b""):
        packed.write_bytes(changed)
        with pytest.raises(Rejection):
            model.load(packed)


def test_padding_and_bounds_of_tensors(packed):
    entries = pack.read(packed)
    manifest = canonical.decode(entries[0], "manifest")
    tensors = {t["name"]: t for t in manifest["tensors"]}

    def refused(at, value):
        weights = bytearray(entries[1])
        weights[at : at + len(value)] = value
        changed = {**manifest, "blobs": {**manifest["blobs"], "weights": model.described(bytes(weights))}}
        pack.write(packed, [canonical.encode(changed), bytes(weights)] + entries[2:])
        with pytest.raises(Rejection):
            model.load(packed)

    down = tensors["layers.0.down_proj"]
    refused(down["offset"] + 33 * 17, b"\1")
    refused(down["offset"] + pack.aligned(33 * 17), struct.pack("<I", 2**24))
    refused(tensors["norm"]["offset"], struct.pack("<i", 2**23))
    refused(tensors["norm"]["offset"], struct.pack("<i", -(2**23)))
    assert (down["offset"] + down["bytes"]) % 64
    refused(down["offset"] + down["bytes"], b"\1")


NOT_CANONICAL = [
    b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1.0}', b'{"a":1,"a":1}', b'{"a":9007199254740993}', b'"\\u0041"', b"{",
    b'{"a":NaN}', b"-0", b"1\n", b"\xff",
]


@pytest.mark.parametrize("text", NOT_CANONICAL)
def test_canonical_json_is_strict(text):
    with pytest.raises(Rejection):
        canonical.decode(text, "text")
