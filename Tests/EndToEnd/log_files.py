"""Writes public logs as plain files, and speaks to witnesses: from the C2SP texts, without any code of ours."""

import base64
import hashlib
import struct
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Key:
    """An Ed25519 key with a name: a log's."""

    def __init__(self, name: str, seed: int):
        self.name = name
        self.secret = Ed25519PrivateKey.from_private_bytes(sha(b"%d" % seed))
        public = b"\x01" + self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = sha(name.encode() + b"\n" + public)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(public)}"

    def sign(self, text: bytes) -> bytes:
        return text + b"\n" + f"— {self.name} {b64(self.id + self.secret.sign(text))}\n".encode()


class LogFiles:
    """A log in a folder. `fork` makes another with the same history so far."""

    def __init__(self, folder: Path, key: Key):
        self.folder, self.key = Path(folder), key
        self.heights: list[list[bytes]] = [[]]  # complete subtrees of 2^h leaves
        self.open: list[bytes] = []  # entries of the last bundle
        self.size = 0

    def fork(self, folder: Path) -> "LogFiles":
        other = LogFiles(folder, self.key)
        other.heights, other.open, other.size = [list(h) for h in self.heights], list(self.open), self.size
        return other

    def append(self, entries: list[bytes]) -> "LogFiles":
        old = self.size
        for entry in entries:
            self.open.append(entry)
            self.size += 1
            if len(self.open) == 256 or self.size == old + len(entries):
                self._write("tile/entries", (self.size - 1) // 256, len(self.open),
                            b"".join(struct.pack(">H", len(e)) + e for e in self.open))
            if len(self.open) == 256:
                self.open = []
            node, height = sha(b"\0" + entry), 0
            while True:
                if height == len(self.heights):
                    self.heights.append([])
                self.heights[height].append(node)
                if len(self.heights[height]) % 2:
                    break
                node, height = sha(b"\1" + self.heights[height][-2] + self.heights[height][-1]), height + 1
        for level in range(0, (len(self.heights) + 7) // 8):
            hashes = self.heights[8 * level]
            for index in range((old >> 8 * level) // 256, (len(hashes) + 255) // 256):
                tile = hashes[index * 256:(index + 1) * 256]
                self._write(f"tile/{level}", index, len(tile), b"".join(tile))
        return self

    def _write(self, kind: str, index: int, width: int, data: bytes):
        groups = f"{index:03d}" if index < 1000 else f"x{index // 1000:03d}/{index % 1000:03d}"
        path = self.folder / kind / (groups + ("" if width == 256 else f".p/{width}"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def hash(self, start: int, end: int) -> bytes:
        """The Merkle tree hash of the leaves start ..< end (RFC 6962, 2.1)."""
        count = end - start
        if count == 0:
            return sha(b"")
        height = count.bit_length() - 1
        if count == 1 << height and start % count == 0:
            return self.heights[height][start >> height]
        split = 1 << (count - 1).bit_length() - 1
        return sha(b"\1" + self.hash(start, start + split) + self.hash(start + split, end))

    def consistency(self, old: int, size: int) -> list[bytes]:
        def proof(old, start, end, known):
            if old == end:
                return [] if known else [self.hash(start, end)]
            split = start + (1 << (end - start - 1).bit_length() - 1)
            if old <= split:
                return proof(old, start, split, known) + [self.hash(split, end)]
            return proof(old, split, end, False) + [self.hash(start, split)]
        return proof(old, 0, size, True) if old else []

    def checkpoint(self, size: int | None = None) -> bytes:
        size = self.size if size is None else size
        return self.key.sign(f"{self.key.name}\n{size}\n{b64(self.hash(0, size))}\n".encode())

    def add_checkpoint(self, old: int, size: int | None = None) -> bytes:
        """The body of a request to a witness."""
        size = self.size if size is None else size
        proof = "".join(b64(h) + "\n" for h in self.consistency(old, size))
        return f"old {old}\n{proof}\n".encode() + self.checkpoint(size)

    def publish(self, *cosignatures: bytes) -> bytes:
        signed = self.checkpoint() + b"".join(cosignatures)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "checkpoint.new").write_bytes(signed)
        (self.folder / "checkpoint.new").rename(self.folder / "checkpoint")
        return signed
