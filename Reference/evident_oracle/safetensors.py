"""Reads the weights of a Hugging Face directory."""

import json
import os

import numpy as np

from .canonical import Rejection


def _brain(raw):
    """BF16 is the upper half of binary32."""
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)


FORMATS = {
    "F32": lambda raw: np.frombuffer(raw, "<f4"),
    "F16": lambda raw: np.frombuffer(raw, "<f2"),
    "BF16": _brain,
    "I64": lambda raw: np.frombuffer(raw, "<i8"),
}


def read_file(path):
    """Name → array of one file."""
    with open(path, "rb") as file:
        data = file.read()
    header_bytes = int.from_bytes(data[:8], "little")
    if len(data) < 8 or header_bytes > len(data) - 8:
        raise Rejection(f"{path}: header is cut")
    header = json.loads(data[8 : 8 + header_bytes])
    body = memoryview(data)[8 + header_bytes :]
    arrays = {}
    for name, description in header.items():
        if name == "__metadata__":
            continue
        start, stop = description["data_offsets"]
        if description["dtype"] not in FORMATS:
            raise Rejection(f"{name}: type {description['dtype']} is not supported")
        arrays[name] = FORMATS[description["dtype"]](body[start:stop]).reshape(description["shape"])
    return arrays


def read_directory(directory):
    """All tensors of a directory, and the names of the files that hold them."""
    if os.path.exists(os.path.join(directory, "model.safetensors")):
        files = listed = ["model.safetensors"]
    else:
        with open(os.path.join(directory, "model.safetensors.index.json"), encoding="utf-8") as file:
            files = sorted(set(json.load(file)["weight_map"].values()))
        listed = files + ["model.safetensors.index.json"]
    arrays = {}
    for name in files:
        arrays.update(read_file(os.path.join(directory, name)))
    return arrays, listed
