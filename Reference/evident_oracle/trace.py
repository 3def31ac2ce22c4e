"""Trace digests of arithmetic.md section 8: SHA-256 over a value's encodings at positions 0, 1, 2, …"""

import hashlib

import numpy as np


class Trace:
    """Collects one running SHA-256 per named value. Values must be recorded in order of position."""

    def __init__(self):
        self._states = {}

    def record(self, name, kind, value):
        """Adds the encodings of a batch of positions of one named value."""
        state = self._states.setdefault(name, hashlib.sha256())
        for encoding in encodings(kind, value):
            state.update(encoding)

    def digests(self):
        """Name → hexadecimal digest, in the order in which the names were first recorded."""
        return {name: state.hexdigest() for name, state in self._states.items()}


def _checked(array, dtype):
    limits = np.iinfo(dtype)
    if array.size and (array.max() > limits.max or array.min() < limits.min):
        raise OverflowError(f"value does not fit {dtype}")
    return array.astype(dtype)


def encodings(kind, value):
    """The encoding of every position of a batch, one bytes object each."""
    if kind == "residual":
        return [row.tobytes() for row in _checked(value, "<i8")]
    if kind == "routes":
        pairs = np.stack([_checked(part, "<i4") for part in value], axis=-1)
        return [row.tobytes() for row in pairs]
    content, exponent = value
    width = {"act16": "<i2", "heads16": "<i2", "act32": "<i4", "heads32": "<i4"}[kind]
    content, exponent = _checked(content, width), _checked(exponent, "<i4")
    if kind.startswith("act"):
        return [exponent[p].tobytes() + content[p].tobytes() for p in range(len(content))]
    return [
        b"".join(exponent[p, h].tobytes() + content[p, h].tobytes() for h in range(content.shape[1]))
        for p in range(len(content))
    ]
