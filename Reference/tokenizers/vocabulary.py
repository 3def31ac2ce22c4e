"""Vocabulary documents (docs/spec/vocabulary.md) and tokenizer.json files from what other libraries keep."""
import base64
import json
import struct

BASE = {
    "schema": "evident.vocabulary.v1", "preTokenizer": None, "merges": [], "scores": [], "types": [], "beginOfSequence": None,
    "endOfSequence": None, "unknown": None, "separator": None, "addBegin": None, "addEnd": None, "addSeparator": None,
    "addSpacePrefix": None, "removeExtraSpaces": None, "lowercase": None, "stripAccents": None, "characterMap": None,
}


def canonical(document):
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def of_sentencepiece(model):
    """A SentencePiece model (its protobuf) as a vocabulary document."""
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    kind = {1: "t5", 2: "llama"}[trainer.model_type]
    assert normalizer.escape_whitespaces and not trainer.treat_whitespace_as_suffix
    rules = normalizer.precompiled_charsmap
    return canonical(BASE | {
        "model": kind,
        "tokens": [p.piece for p in model.pieces],
        "scores": [struct.unpack("<I", struct.pack("<f", p.score))[0] for p in model.pieces],
        "types": [p.type for p in model.pieces],
        "unknown": trainer.unk_id, "addBegin": False, "addEnd": False, "addSpacePrefix": normalizer.add_dummy_prefix,
        "removeExtraSpaces": normalizer.remove_extra_whitespaces,
        "characterMap": base64.b64encode(rules).decode() if rules else None,
    })


def byte_alphabet():
    shown = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or 0xAE <= b]
    hidden = [b for b in range(256) if b not in shown]
    return {**{b: chr(b) for b in shown}, **{b: chr(0x100 + i) for i, b in enumerate(hidden)}}


def of_ranks(ranks, pattern, first=0, special=()):
    """tiktoken's ranks as a tokenizer.json, with every pair that makes a token as a merge, best token first.

    `first` is what is added to every rank; `special` are tokens with ids below it.
    """
    alphabet = byte_alphabet()
    text = lambda token: "".join(alphabet[b] for b in token)
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        pairs = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in ranks and token[i:] in ranks]
        merges += sorted(pairs, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    added = [{"id": i, "content": s, "special": True} for i, s in enumerate(special)]
    return json.dumps({
        "version": "1.0", "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "ignore_merges": True, "vocab": {text(t): r + first for t, r in ranks.items()},
                  "merges": [[text(a), text(b)] for a, b in merges]},
    }, ensure_ascii=False).encode()
