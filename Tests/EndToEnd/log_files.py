"""Writes public logs as plain files, and speaks to witnesses: from the C2SP texts, without any code of ours."""

import base64
import hashlib
import json
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
        self.seed = sha(b"%d" % seed)
        self.secret = Ed25519PrivateKey.from_private_bytes(self.seed)
        public = b"\x01" + self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = sha(name.encode() + b"\n" + public)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(public)}"

    def secret_text(self) -> str:
        return f"PRIVATE+KEY+{self.name}+{self.id.hex()}+{b64(bytes([1]) + self.seed)}"

    def sign(self, text: bytes) -> bytes:
        return text + b"\n" + f"— {self.name} {b64(self.id + self.secret.sign(text))}\n".encode()


class Node:
    """A node that signs what it is given; docs/spec/evidence.md, section 2."""

    def __init__(self, seed: int):
        self.secret = Ed25519PrivateKey.from_private_bytes(sha(b"node %d" % seed))
        self.public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, statement: dict) -> bytes:
        def canonical(value) -> bytes:
            return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        payload, kind = canonical(statement), "application/vnd.in-toto+json"
        signature = self.secret.sign(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
        return canonical({"payload": b64(payload), "payloadType": kind,
                          "signatures": [{"keyid": sha(self.public).hex(), "sig": b64(signature)}]})

    def entry(self, number: int) -> bytes:
        """What needs no model: that its own key is revoked, for a numbered reason (section 12)."""
        key = self.public.hex()
        return self.sign({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": key, "digest": {"sha256": sha(self.public).hex()}}],
            "predicateType": "https://evident.dev/key-revocation/v1",
            "predicate": {"key": key, "from": "2026-03-01T00:00:00Z", "reason": f"reason {number}", "signer": key}})

    def receipt(self, other: bytes, log: str, logged_by: str) -> bytes:
        """Another node's receipt as this one's, with a promise of its own."""
        statement = json.loads(base64.b64decode(json.loads(other)["payload"]))
        predicate = statement["predicate"]
        predicate["node"]["publicKey"], predicate["time"] = self.public.hex(), "2026-01-01T00:00:00Z"
        predicate["promise"] = {"log": log, "loggedBy": logged_by}
        return self.sign(statement)


def entries(folder: Path, size: int) -> list[bytes]:
    """The first entries of a log's folder."""
    found: list[bytes] = []
    for index in range((size + 255) // 256):
        full = Path(folder) / "tile/entries" / (f"{index:03d}" if index < 1000 else f"x{index // 1000:03d}/{index % 1000:03d}")
        width = min(256, size - 256 * index)
        partial = full.with_name(f"{full.name}.p") / str(width)
        data = (partial if width < 256 and partial.exists() else full).read_bytes()
        for _ in range(width):
            end = 2 + int.from_bytes(data[:2], "big")
            found.append(data[2:end])
            data = data[end:]
    return found


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
