"""Canonical JSON (RFC 8785, integers only), strict parsing, and tagged digests."""

import hashlib
import json

SAFE_INTEGER = 2**53 - 1


class Rejection(ValueError):
    """The bytes break the specification; the message says what."""


def encode(value):
    """The canonical bytes of a value made of dict, list, str, int, bool and None."""
    _check(value, "$")
    return _write(value).encode("utf-8")


def decode(data, name):
    """Parses bytes that must already be canonical."""

    def pairs(items):
        keys = [key for key, _ in items]
        if len(set(keys)) != len(keys):
            raise Rejection(f"{name}: duplicate member")
        return dict(items)

    def no_fraction(text):
        raise Rejection(f"{name}: number {text} is not an integer")

    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=pairs, parse_float=no_fraction, parse_constant=no_fraction
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Rejection(f"{name}: not JSON: {error}") from error
    if encode(value) != data:
        raise Rejection(f"{name}: JSON is not in canonical form")
    return value


def _check(value, path):
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise Rejection(f"{path}: integer beyond 2^53 - 1")
    elif isinstance(value, str):
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise Rejection(f"{path}: lone surrogate")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, f"{path}.{key}")
            _check(item, f"{path}.{key}")
    else:
        raise Rejection(f"{path}: {type(value).__name__} has no canonical form")


def _write(value):
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(_write(key) + ":" + _write(item) for key, item in ordered) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def sha256(data):
    return hashlib.sha256(data).digest()


def tagged_digest(tag, *parts):
    """SHA-256(tag ‖ 0x00 ‖ for each part: its length as big-endian u64 ‖ the part)."""
    state = hashlib.sha256(tag.encode("ascii") + b"\0")
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.digest()
