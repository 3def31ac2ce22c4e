"""Hugging Face directories with random weights in BF16 and a vocabulary of random merges, in any of the shapes."""

import json
import random
import struct


def tensors(shape):
    """(name in transformers, name in GGUF, shape) of every tensor."""
    hidden, intermediate = shape["hidden"], shape["intermediate"]
    queries, keys = shape["heads"] * shape["head_dim"], shape["kv_heads"] * shape["head_dim"]
    layer = [
        ("input_layernorm", "attn_norm", (hidden,)), ("self_attn.q_proj", "attn_q", (queries, hidden)),
        ("self_attn.k_proj", "attn_k", (keys, hidden)), ("self_attn.v_proj", "attn_v", (keys, hidden)),
        ("self_attn.o_proj", "attn_output", (hidden, queries)), ("post_attention_layernorm", "ffn_norm", (hidden,)),
        ("mlp.gate_proj", "ffn_gate", (intermediate, hidden)), ("mlp.up_proj", "ffn_up", (intermediate, hidden)),
        ("mlp.down_proj", "ffn_down", (hidden, intermediate)),
    ]
    outer = [("model.embed_tokens", "token_embd", (shape["vocab"], hidden)), ("model.norm", "output_norm", (hidden,))]
    return outer + [
        (f"model.layers.{n}.{a}", f"blk.{n}.{b}", size) for n in range(shape["layers"]) for a, b, size in layer]


def vocabulary(count):
    """`count` tokens, the last 256 of them special, and their merges, in GPT-2's alphabet."""
    draw = random.Random(1)
    tokens = [chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256)]]
    tokens += [chr(256 + i) for i in range(256 - len(tokens))]
    known, merges = set(tokens), []
    while len(tokens) < count - 256:
        pair = draw.choice(tokens), draw.choice(tokens)
        if len(pair[0] + pair[1]) <= 12 and pair[0] + pair[1] not in known:
            merges.append(" ".join(pair))
            tokens.append(pair[0] + pair[1])
            known.add(tokens[-1])
    return tokens + [f"<|reserved_{i}|>" for i in range(count - len(tokens))], merges


def chunks(shape):
    """Rows at a time, so that no tensor is in memory as a whole."""
    rows = shape[0] if len(shape) > 1 else 1
    while rows > 0:
        yield min(rows, 2048)
        rows -= min(rows, 2048)


def make_safetensors(folder, shape, context=131072):
    import numpy as np  # late: the memory of who only wants names is measured elsewhere

    folder.mkdir(parents=True)
    count = shape["vocab"]
    tokens, merges = vocabulary(count)
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [
        {"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True} for i in range(count - 256, count)]
    files = {
        "config.json": {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": shape["hidden"],
            "num_hidden_layers": shape["layers"], "num_attention_heads": shape["heads"],
            "num_key_value_heads": shape["kv_heads"], "head_dim": shape["head_dim"],
            "intermediate_size": shape["intermediate"], "vocab_size": count, "max_position_embeddings": context,
            "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "hidden_act": "silu", "tie_word_embeddings": True,
            "eos_token_id": count - 1, "bos_token_id": count - 2},
        "tokenizer.json": {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": level, "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens[:count - 256])}, "merges": merges}},
        "tokenizer_config.json": {
            "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "},
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value))
    header, offset, draw = {}, 0, np.random.default_rng(1)
    for name, _, size in tensors(shape):
        length = 2 * int(np.prod(size))
        header[f"{name}.weight"] = {"dtype": "BF16", "shape": size, "data_offsets": [offset, offset + length]}
        offset += length
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, size in tensors(shape):
            for rows in chunks(size):
                values = draw.standard_normal((rows, size[-1]), np.float32) * np.float32(0.05)
                file.write((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())
