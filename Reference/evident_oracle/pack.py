"""The pack container of model.md: a manifest and its blobs in one file."""

import struct

from .canonical import Rejection, sha256

MAGIC = b"EVPACK1\n"
HEADER_BYTES = 16
ENTRY_BYTES = 48
ALIGNMENT = 64


def aligned(offset):
    return -(-offset // ALIGNMENT) * ALIGNMENT


def write(path, entries):
    """Writes the entries (bytes objects), manifest first."""
    offset = HEADER_BYTES + ENTRY_BYTES * len(entries)
    directory = MAGIC + struct.pack("<II", len(entries), 0)
    body = b""
    for entry in entries:
        start = aligned(offset)
        directory += sha256(entry) + struct.pack("<QQ", start, len(entry))
        body += bytes(start - offset) + entry
        offset = start + len(entry)
    with open(path, "wb") as file:
        file.write(directory + body)


def read(path):
    """The entries of a pack, after every check that needs no knowledge of models."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != MAGIC:
        raise Rejection("pack: does not start with EVPACK1")
    if len(data) < HEADER_BYTES:
        raise Rejection("pack: header is cut")
    count, zero = struct.unpack_from("<II", data, 8)
    if zero != 0:
        raise Rejection("pack: reserved word is not zero")
    if not 3 <= count <= 4:
        raise Rejection(f"pack: {count} entries, not 3 or 4")
    end = HEADER_BYTES + ENTRY_BYTES * count
    if len(data) < end:
        raise Rejection("pack: directory is cut")
    entries = []
    for index in range(count):
        at = HEADER_BYTES + ENTRY_BYTES * index
        digest = data[at : at + 32]
        offset, length = struct.unpack_from("<QQ", data, at + 32)
        if offset != aligned(end):
            raise Rejection(f"pack: entry {index} is not at the next multiple of {ALIGNMENT}")
        if offset + length > len(data):
            raise Rejection(f"pack: entry {index} reaches past the end")
        if any(data[end:offset]):
            raise Rejection(f"pack: gap before entry {index} is not zero")
        entry = data[offset : offset + length]
        if sha256(entry) != digest:
            raise Rejection(f"pack: entry {index} does not have the digest of the directory")
        entries.append(entry)
        end = offset + length
    if end != len(data):
        raise Rejection("pack: bytes follow the last entry")
    return entries
