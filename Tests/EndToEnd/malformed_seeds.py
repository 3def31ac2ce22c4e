"""Well-formed files for malformed.py to damage. They are small, so that the damage hits structure."""

import json
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "tiny-llama"


VOCABULARY = 512


def tensors_of(weights: bytes) -> dict[str, tuple[dict, bytes]]:
    length = struct.unpack("<Q", weights[:8])[0]
    header, data = json.loads(weights[8:8 + length]), weights[8 + length:]
    header.pop("__metadata__", None)
    return {name: (entry, data[slice(*entry["data_offsets"])]) for name, entry in header.items()}


def safetensors(tensors: dict[str, tuple[dict, bytes]]) -> bytes:
    header, body = {}, b""
    for name, (entry, data) in tensors.items():
        header[name] = entry | {"data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def model_files(sharded: bool = False) -> dict[str, bytes]:
    """A Hugging Face directory by file name: the committed tiny model with a vocabulary for every tokenizer here.

    sharded: its tensors in two files and an index.
    """
    files = {path.name: path.read_bytes() for path in TINY.iterdir()}
    config = json.loads(files["config.json"]) | {"vocab_size": VOCABULARY, "max_position_embeddings": 1024}
    files["config.json"] = json.dumps(config).encode()
    files["tokenizer.json"] = byte_level()
    tensors = tensors_of(files.pop("model.safetensors"))
    for name, (entry, data) in tensors.items():
        if "embed_tokens" in name or "lm_head" in name:
            rows, width = entry["shape"]
            tensors[name] = (entry | {"shape": [VOCABULARY, width]}, data * (VOCABULARY // rows))
    if not sharded:
        files["model.safetensors"] = safetensors(tensors)
        return files
    index = {}
    for shard in range(2):
        name = f"model-{shard}.safetensors"
        part = {tensor: tensors[tensor] for tensor in sorted(tensors)[shard::2]}
        files[name] = safetensors(part)
        index |= dict.fromkeys(part, name)
    files["model.safetensors.index.json"] = json.dumps({"weight_map": index}).encode()
    return files


def byte_level() -> bytes:
    """Pairs over the whole byte alphabet of GPT-2."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in plain]
    letters = [chr(b) for b in plain] + [chr(0x100 + i) for i in range(len(others))]
    vocabulary = {letter: i for i, letter in enumerate(letters)}
    for token in ("he", "ll", "hell", "hello"):
        vocabulary[token] = len(vocabulary)
    pattern = r"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
    return json.dumps({
        "added_tokens": [{"id": 300, "content": "<|begin|>", "special": True, "lstrip": False, "rstrip": False}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Prepend", "prepend": "x"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [], "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [300], "tokens": ["<|begin|>"]}}},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": ["h e", "l l", ["he", "ll"], "hell o"]},
    }, ensure_ascii=False).encode()


def unigram() -> bytes:
    pieces = [["<unk>", 0.0], ["<s>", 0.0], ["\u2581a", -1.5], ["a", -2.5], ["\u2581", -1.0], ["ab", -4.25]]
    return json.dumps({
        "added_tokens": [{"id": 1, "content": "<s>", "special": True}],
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": True,
                  "vocab": pieces + [[f"<0x{b:02X}>", -20.0] for b in range(256)]},
    }, ensure_ascii=False).encode()


WORD_PIECE = json.dumps({
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                   "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "added_tokens": [{"id": 0, "content": "[UNK]", "special": True}],
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 20, "vocab": {"[UNK]": 0, "un": 1, "##aff": 2, "##able": 3, "!": 4, "a": 5}},
}).encode()

TOKENIZERS = [byte_level(), unigram(), WORD_PIECE, (TINY / "tokenizer.json").read_bytes()]

TEMPLATES = [
    b"{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    b"{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    b"""{%- macro show(x, sep=', ') -%}[{{ x | join(sep) }}]{%- endmacro -%}
{%- set ns = namespace(n=0, seen=[]) -%}
{%- for m in messages if m.role != 'tool' -%}
  {%- set ns.n = ns.n + m.content | length -%}
  {%- set ns.seen = ns.seen + [m.role] -%}
  {{ loop.index }}/{{ loop.length }}{{ '!' if loop.last else ';' }}
{%- else -%}nobody{%- endfor -%}
{{ show(ns.seen) }} {{ show(['a', 'b'], sep='-') }} {{ ns.n }} {{ messages | tojson(indent=2) }}
{% filter upper %}shout {{ messages[0].content }}{% endfilter %}{% set block %}in{{ 'side' }}{% endset %}{{ block }}
{{ messages[::-1] | map(attribute='role') | list }} {{ 7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }}
{% for i in range(5) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}
{{ 'x' in 'xyz' and not 'q' in ['p'] }} {{ missing is defined }} {% raw %}{{ raw }}{% endraw %}{# comment #}
{% if messages | length > 99 %}{{ raise_exception('too many') }}{% endif %}
""",
]

CONTEXT = json.dumps({
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi <b>\"you\"</b> \u00e9"}],
    "add_generation_prompt": True, "tools": [{"name": "f", "parameters": {"a": 1, "b": [True, None, 1.5]}}],
    "bos_token": "<s>",
}).encode()
