"""Small Llama directories with pseudo-random weights, of a size that one asks for."""

import json
import random

from conftest import ROOT

FIXTURE = ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "tiny-llama"
CARD = "---\nlicense: apache-2.0\ntags:\n- test\n---\n# A model for tests\n"
# bfloat16 of about ±0.01 … ±0.03: any low byte with one of two high bytes.
HIGH = bytes(0x3C if b & 1 else 0xBC for b in range(256))


def tiny(card: bool = True) -> dict:
    """The fixture of a few kilobytes."""
    files = {p.name: p.read_bytes() for p in FIXTURE.iterdir()}
    return files | ({"README.md": CARD.encode()} if card else {})


def tensors(hidden: int, intermediate: int, layers: int = 1) -> list:
    head = hidden // 2
    yield "model.embed_tokens.weight", [32, hidden]
    for n in range(layers):
        layer = f"model.layers.{n}"
        yield f"{layer}.input_layernorm.weight", [hidden]
        yield f"{layer}.self_attn.q_proj.weight", [hidden, hidden]
        yield f"{layer}.self_attn.k_proj.weight", [head, hidden]
        yield f"{layer}.self_attn.v_proj.weight", [head, hidden]
        yield f"{layer}.self_attn.o_proj.weight", [hidden, hidden]
        yield f"{layer}.post_attention_layernorm.weight", [hidden]
        yield f"{layer}.mlp.gate_proj.weight", [intermediate, hidden]
        yield f"{layer}.mlp.up_proj.weight", [intermediate, hidden]
        yield f"{layer}.mlp.down_proj.weight", [hidden, intermediate]
    yield "model.norm.weight", [hidden]


def safetensors(shapes: list, seed: int) -> bytes:
    rng = random.Random(seed)
    header, data = {}, bytearray()
    for name, shape in shapes:
        count = 1
        for extent in shape:
            count *= extent
        if len(shape) == 1:
            part = bytes([0x80, 0x3F]) * count
        else:
            part = bytearray(rng.randbytes(2 * count))
            part[1::2] = bytes(part[1::2]).translate(HIGH)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bytes(data)


def llama(megabytes: float, seed: int = 1, shards: int = 1, card: bool = True) -> dict:
    """About so many megabytes of bfloat16 in one file, or in shards with an index."""
    hidden = 64 if megabytes < 4 else 256 if megabytes < 60 else 1024
    heads = max(2, hidden // 256)
    intermediate = max(32, int(megabytes * 1e6 / 6 / hidden) // 32 * 32)
    config = json.loads((FIXTURE / "config.json").read_text())
    config |= {"hidden_size": hidden, "intermediate_size": intermediate, "num_attention_heads": heads,
               "num_key_value_heads": heads // 2, "head_dim": hidden // heads, "tie_word_embeddings": True, "torch_dtype": "bfloat16"}
    files = tiny(card) | {"config.json": json.dumps(config).encode()}
    shapes = list(tensors(hidden, intermediate))
    if shards == 1:
        return files | {"model.safetensors": safetensors(shapes, seed)}
    del files["model.safetensors"]
    weight_map = {}
    for shard in range(shards):
        name = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = shapes[shard::shards]
        files[name] = safetensors(part, seed + shard)
        weight_map |= {tensor: name for tensor, _ in part}
    return files | {"model.safetensors.index.json": json.dumps({"metadata": {}, "weight_map": weight_map}).encode()}


def write(files: dict, folder) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
