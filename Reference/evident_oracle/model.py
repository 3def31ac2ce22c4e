"""The manifest of model.md, with every check of that page and of section 9 of arithmetic.md."""

import re
from dataclasses import dataclass

from . import canonical, pack, weights
from .architectures import ARCHITECTURES, ENCODERS, checked_config, integer, require, tensor_shapes


@dataclass(frozen=True)
class Model:
    architecture: str
    config: object
    tensors: dict
    frequencies: list
    localFrequencies: object
    endOfSequence: list
    beginOfSequence: object
    manifest: bytes

    @property
    def digest(self):
        return canonical.sha256(self.manifest)


def load(path):
    """Reads a pack into a model or raises `Rejection`."""
    entries = pack.read(path)
    manifest = canonical.decode(entries[0], "manifest")
    _members(manifest, "manifest", "schema arithmetic architecture config rope tokens tensors blobs source")
    for member, expected in (("schema", "evident.model.v1"), ("arithmetic", "evident.int.v1")):
        require(manifest[member] == expected, f"{member} is not {expected}")
    architecture = manifest["architecture"]
    require(architecture in ARCHITECTURES, f"architecture {architecture!r} is not known")
    config = checked_config(architecture, manifest["config"])
    _check_blobs(manifest["blobs"], entries[1:])
    _check_source(manifest["source"])
    return Model(
        architecture=architecture,
        config=config,
        tensors=_tensors(manifest["tensors"], tensor_shapes(architecture, config), entries[1]),
        manifest=entries[0],
        **_rope(manifest["rope"], architecture, config),
        **_tokens(manifest["tokens"], architecture, config),
    )


def _members(value, where, names):
    require(isinstance(value, dict), f"{where} is not an object")
    require(sorted(value) == sorted(names.split()), f"{where} has the members {sorted(value)}, not {names}")


def _rope(value, architecture, config):
    local = architecture == "gemma3"
    _members(value, "rope", "frequencies localFrequencies" if local else "frequencies")
    most = 0 if architecture in ENCODERS else config.headDimension // 2
    for name, texts in value.items():
        require(isinstance(texts, list) and len(texts) <= most, f"rope has more than {most} {name}")
        for text in texts:
            require(isinstance(text, str) and re.fullmatch("[0-9a-f]{16}", text), "frequency is not 16 hex digits")
    if local:
        require(len(value["localFrequencies"]) == len(value["frequencies"]), "rope has not as many localFrequencies")
    numbers = {name: [int(text, 16) for text in texts] for name, texts in value.items()}
    return {"localFrequencies": None, **numbers}


def _tokens(value, architecture, config):
    _members(value, "tokens", "endOfSequence beginOfSequence")
    ids, begin = value["endOfSequence"], value["beginOfSequence"]
    require(isinstance(ids, list) and (ids or architecture in ENCODERS), "endOfSequence is empty")
    for token in ids + ([] if begin is None else [begin]):
        integer(token, "token id", 0, config.vocabularySize - 1)
    return {"endOfSequence": ids, "beginOfSequence": begin}


def _check_digest(value, where):
    require(isinstance(value, str) and re.fullmatch("sha256:[0-9a-f]{64}", value), f"{where}: bad digest")


def _check_blobs(value, blobs):
    _members(value, "blobs", "weights tokenizer chatTemplate")
    named = [name for name in ("weights", "tokenizer", "chatTemplate") if value[name] is not None]
    require(named[:2] == ["weights", "tokenizer"], "weights or tokenizer is null")
    require(len(named) == len(blobs), "the pack has not one entry for each blob")
    for name, blob in zip(named, blobs):
        _members(value[name], name, "digest bytes")
        require(value[name]["bytes"] == len(blob), f"{name}: wrong size")
        require(value[name]["digest"] == "sha256:" + canonical.sha256(blob).hex(), f"{name}: wrong digest")


def _check_source(value):
    _members(value, "source", "format files")
    require(value["format"] in ("gguf", "safetensors") and isinstance(value["files"], list), "source is malformed")
    for file in value["files"]:
        _members(file, "source file", "name digest bytes")
        require(isinstance(file["name"], str), "source file without a name")
        _check_digest(file["digest"], "source file")
        integer(file["bytes"], "source file bytes", 0, 2**53 - 1)
    names = [file["name"].encode() for file in value["files"]]
    require(names == sorted(set(names)), "source files are not sorted by name")


def _tensors(descriptions, expected, blob):
    require(isinstance(descriptions, list), "tensors is not an array")
    for description in descriptions:
        _members(description, "tensor", "name kind shape exponent offset bytes")
        require(isinstance(description["name"], str), "tensor without a name")
    names = [description["name"] for description in descriptions]
    require(names == sorted(expected), "tensors are not those of the architecture, sorted by name")
    tensors, extents = {}, []
    for description in descriptions:
        name, kind = description["name"], description["kind"]
        kinds, shape = expected[name]
        require(isinstance(kind, str) and kind in kinds, f"{name} is none of {kinds}")
        require(description["shape"] == shape, f"{name} has not the shape {shape}")
        require(kind not in ("linear4", "linear4m") or shape[1] % weights.GROUP == 0, f"{name} has no whole groups")
        exponent = integer(description["exponent"], f"{name} exponent", -256, 256)
        offset = integer(description["offset"], f"{name} offset", 0, len(blob))
        length = integer(description["bytes"], f"{name} bytes", 0, len(blob) - offset)
        require(offset % pack.ALIGNMENT == 0, f"{name} is not at a multiple of 64")
        require(len(shape) == 1 or kind == "table16" or shape[1] <= 65535, f"{name} has more than 65535 inputs")
        extents.append((offset, offset + length, name))
        tensors[name] = weights.decoded(name, kind, shape, exponent, blob[offset : offset + length])
    _check_gaps(extents, blob)
    return tensors


def _check_gaps(extents, blob):
    end = 0
    for start, stop, name in sorted(extents):
        require(start >= end, f"{name} overlaps another tensor")
        require(not any(blob[end:start]), f"the gap before {name} is not zero")
        end = stop
    require(not any(blob[end:]), "the bytes after the last tensor are not zero")


def save(path, architecture, config, tensors, frequencies, tokens, tokenizer, chat_template, source_files,
         local_frequencies=None):
    """Writes a model as a pack: tensors in the order of their names, each at the next multiple of 64."""
    descriptions, chunks, end = [], [], 0
    for name in sorted(tensors):
        tensor = tensors[name]
        body, offset = tensor.encoded(), pack.aligned(end)
        chunks += [bytes(offset - end), body]
        end = offset + len(body)
        descriptions.append(
            {
                "name": name,
                "kind": tensor.kind,
                "shape": [int(n) for n in tensor.shape],
                "exponent": int(tensor.exponent),
                "offset": offset,
                "bytes": len(body),
            }
        )
    blobs = {"weights": b"".join(chunks), "tokenizer": tokenizer, "chatTemplate": chat_template}
    rope = {"frequencies": frequencies}
    if local_frequencies is not None:
        rope["localFrequencies"] = local_frequencies
    manifest = canonical.encode(
        {
            "schema": "evident.model.v1",
            "arithmetic": "evident.int.v1",
            "architecture": architecture,
            "config": config.members(),
            "rope": {name: [f"{f:016x}" for f in values] for name, values in rope.items()},
            "tokens": tokens,
            "tensors": descriptions,
            "blobs": {name: None if blob is None else described(blob) for name, blob in blobs.items()},
            "source": {"format": "safetensors", "files": source_files},
        }
    )
    pack.write(path, [manifest] + [blob for blob in blobs.values() if blob is not None])
    return load(path)


def described(blob):
    return {"digest": "sha256:" + canonical.sha256(blob).hex(), "bytes": len(blob)}
