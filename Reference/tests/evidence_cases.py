"""What evidence files are made of (docs/spec/evidence.md), with keys of our own, and seeded changes of JSON."""

import base64
import copy
import json
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence_forms import SMALL
from evidence_verify import links, u32le
from evident_oracle import canonical
from evident_oracle.canonical import sha256
from evident_oracle.canonical import tagged_digest as D

ORIGIN = "log.example.org/oracle"


def b64(data):
    return base64.b64encode(data).decode()


class Key:
    """An Ed25519 key: a node's, or with a name and a type a log's or a witness's."""

    def __init__(self, seed, name="", kind=0):
        self.name, self.kind = name, kind
        self.private = Ed25519PrivateKey.from_private_bytes(sha256(b"key %d" % seed))
        self.public = self.private.public_key().public_bytes_raw()
        self.hex, self.id = self.public.hex(), sha256(name.encode() + b"\n" + bytes([kind]) + self.public)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(bytes([kind]) + self.public)}"

    def line(self, text, at=None, domain="cosignature/v1"):
        if self.kind == 1 or at is None:
            signature = self.private.sign(text.encode())
        else:
            signature = at.to_bytes(8, "big") + self.private.sign(f"{domain}\ntime {at}\n{text}".encode())
        return f"— {self.name} {b64(self.id + signature)}\n"


NODES = [Key(i) for i in range(5)]
LOG, OTHER_LOG = Key(10, ORIGIN, 1), Key(11, "log.example.org/other", 1)
NEXT_LOG = Key(12, ORIGIN, 1)  # another key of the same log
WITNESSES = [Key(20 + i, f"w{i}.example.org", 4) for i in range(3)]
STRANGER = Key(30, "stranger.example.org", 4)


def commit(answer):
    """Writes what follows from opening and model into the predicate and the subject."""
    opening, statement = answer["opening"], answer["statement"]
    p, salt = statement["predicate"], bytes.fromhex(opening["salt"])

    def salted(tag):
        return D("evident.salt.v1", salt, tag.encode())

    def commitment(what, content):
        tag = f"evident.commit.{what}.v1"
        return "sha256:" + D(tag, salted(tag), content).hex()

    p["model"]["manifest"] = "sha256:" + sha256(canonical.encode(answer["model"])).hex()
    p["input"]["promptCommitment"] = commitment("prompt", canonical.encode(opening["request"]))
    if "vectors" in opening:
        p["input"]["tokenCommitment"] = commitment(
            "input", D("evident.embedding.inputs.v1", *map(u32le, opening["inputTokens"]))
        )
        parts = [
            b"".join(n.to_bytes(4, "little", signed=True) for n in (v["exponent"], *v["values"]))
            for v in opening["vectors"]
        ]
        subject = p["output"]["vectorCommitment"] = commitment("output", D("evident.embedding.vectors.v1", *parts))
    else:
        p["input"]["tokenCommitment"] = commitment("input", D("evident.tokens.in.v1", u32le(opening["inputTokens"])))
        outputs = opening["outputTokens"]
        subject = p["output"]["tokenCommitment"] = commitment("output", D("evident.tokens.out.v1", u32le(outputs)))
        p["output"]["textCommitment"] = commitment("text", opening["text"].encode())
        start = D("evident.stream.start.v1", salted("evident.stream.start.v1"), p["receiptId"].encode())
        p["stream"]["head"] = "sha256:" + links(start, outputs[: p["stream"]["deliveredTokens"]]).hex()
    statement["subject"] = [{"name": p["responseId"], "digest": {"sha256": subject[7:]}}]


def count(answer):
    """Makes the counts those of the opening."""
    opening, p = answer["opening"], answer["statement"]["predicate"]
    inputs, outputs = opening["inputTokens"], opening["outputTokens"]
    p["input"]["tokenCount"] = p["usage"]["promptTokens"] = len(inputs)
    p["output"]["tokenCount"] = p["usage"]["completionTokens"] = len(outputs)
    p["usage"]["totalTokens"] = len(inputs) + len(outputs)


def envelope(payload, key, domain="DSSEv1"):
    kind = "application/vnd.in-toto+json"
    encoding = b"%s %d %s %d %s" % (domain.encode(), len(kind), kind.encode(), len(payload), payload)
    signature = {"keyid": sha256(key.public).hex(), "sig": b64(key.private.sign(encoding))}
    return {"payload": b64(payload), "payloadType": kind, "signatures": [signature]}


def change_json(rng, value, names=None):
    """Changes one place of a JSON value, in place if it can; returns the value and says where."""
    places = []

    def walk(container, where):
        for name in container if isinstance(container, dict) else range(len(container)):
            places.append((container, name, f"{where}.{name}"))
            if isinstance(container[name], (dict, list)):
                walk(container[name], f"{where}.{name}")

    walk(value, "")
    # Deep places of long arrays are not worth more than others.
    container, name, where = rng.choice([p for p in places if rng.random() < 0.3] or places)
    old, what = container[name], rng.randrange(10)
    if what == 0:
        del container[name]
    elif what == 1 and isinstance(container, dict):
        container[rng.choice(["extra", "Schema", name + "\u0301", "log", "opening"])] = old
    elif what == 2 and isinstance(container, list):
        container.insert(name, copy.deepcopy(old))
    elif what == 3:
        container[name] = copy.deepcopy(rng.choice(places)[0])
    elif what == 4:
        other, at, _ = rng.choice([p for p in places if type(p[0][p[1]]) is type(old)])
        container[name], other[at] = copy.deepcopy(other[at]), copy.deepcopy(old)
    elif isinstance(old, bool) or old is None:
        container[name] = rng.choice([None, True, False, 0, "", {}, []])
    elif isinstance(old, int):
        container[name] = rng.choice(
            [old + 1, old - 1, -old, 0, 1, 2**20 - 1, 2**20, 2**21, 2**24, 2**53 - 1, 999, 1000, 100000, str(old), True]
        )
    elif isinstance(old, str):
        container[name] = changed_text(rng, old)
    else:
        container[name] = rng.choice([None, [], {}, [old], type(old)()])
    return f"{where} ({what})"


def small_key(rng):
    """A public key for which anyone can sign."""
    key = rng.choice(sorted(SMALL))
    return key[:31] + bytes([key[31] | rng.choice([0, 128])])


def changed_text(rng, old):
    choices = [
        "",
        old + "a",
        old[1:],
        old[:-1],
        old.upper(),
        old.swapcase(),
        old + "\n",
        old + "\u0301",
        old + "é",
        old + "\0",
        " " + old,
        old * 2,
        "x" * rng.choice([32, 33, 128, 129, 256, 257, 1024, 1025]),
        "é" * 128,
        "none",
        "client",
        "node",
        "length",
        "cancelled",
        "stopString",
        "clientCancelled",
        "0",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "00",
        "2026-02-29T00:00:00Z",
        "2028-02-29T00:00:00Z",
        "2026-01-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31t23:59:59Z",
        "2026-01-31T23:59:59+00:00",
        small_key(rng).hex(),
        NODES[4].hex,
        LOG.vkey,
        WITNESSES[0].vkey,
        OTHER_LOG.vkey,
    ]
    if old:
        at = rng.randrange(len(old))
        for other in rng.choice("0123456789abcdefABCDEF+/=-_:. é"), chr(ord(old[at]) ^ 1):
            choices += [old[:at] + other + old[at + 1 :]] * 4
    return rng.choice(choices)


def respell(rng, data):
    """Other bytes for the same or nearly the same JSON."""
    text = data.decode()
    names = [m.start() for m in re.finditer(r'"[^"\\]*":', text)]
    numbers = [m for m in re.finditer(r"(?<=[:,\[])-?[0-9]+(?=[,}\]])", text)]
    strings = [m for m in re.finditer(r'"[^"\\]+"', text)]
    marks = [m.start() for m in re.finditer(r"[{}\[\],:]", text)]
    what = rng.randrange(13)
    at = rng.choice(marks)
    if what == 12:  # what Unicode takes for the same character
        alike = {"K": "\u212a", ";": "\u037e", "`": "\u1fef", "é": "e\u0301"}
        found = [i for i, c in enumerate(text) if c in alike]
        if found:
            at = rng.choice(found)
            return (text[:at] + alike[text[at]] + text[at + 1 :]).encode()
    if what == 0:
        return data[: rng.randrange(len(data))]
    if what == 1:
        return data + rng.choice([b" ", b"\n", b"\0", b"{}", b"\xff", b",", b"\x0b"])
    if what == 2:
        return rng.choice([b"\xef\xbb\xbf", b" \r\n\t", b"\x0c", b"\xc2\xa0"]) + data
    if what == 3:
        return (
            text[:at] + rng.choice([" ", "\t", "\r\n", "\x0b", "\u2028", "\u00a0", ",", "//\n"]) + text[at:]
        ).encode()
    if what == 4:
        at = rng.choice(names)
        name = re.match(r'"[^"\\]*":', text[at:])[0]
        alike = rng.choice(
            [name, name, f'"\\u{ord(name[1]):04x}{name[2:]}' if len(name) > 3 else name, name[:-2] + '\u0301":']
        )
        return (text[:at] + alike + rng.choice(["null", "1", '""', "{}"]) + "," + text[at:]).encode()
    if what == 5 and numbers:
        m = rng.choice(numbers)
        number = rng.choice(
            [
                "-0",
                m[0] + ".0",
                m[0] + "e0",
                "0" + m[0],
                "+" + m[0],
                m[0] + "0" * 20,
                "1" + "0" * 5000,
                "NaN",
                "-",
                "9007199254740992",
                "9007199254740991",
                "-9007199254740991",
                "1E2",
                ".5",
                "٣",
                "Infinity",
            ]
        )
        return (text[: m.start()] + number + text[m.end() :]).encode()
    if what == 6 and strings:
        m = rng.choice(strings)
        at = rng.randrange(m.start() + 1, m.end() - 1)
        other = rng.choice(
            [
                "\\u%04x" % (ord(text[at]) & 0xFFFF),
                "\\u%04X" % (ord(text[at]) & 0xFFFF),
                "\\ud800",
                "\\udc00\\ud800",
                "\\ud83d\\ude00",
                "\\/",
                "\\x41",
                "\x01",
                "\x7f",
                "\\u0000",
                "\t",
                "\\t",
                "\\u+041",
                "\\uD83D\\uDE00",
            ]
        )
        return (text[:at] + other + text[at + 1 :]).encode()
    if what == 7:
        at = rng.randrange(len(data))
        return data[:at] + rng.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"]) + data[at:]
    if what == 8:
        depth = rng.choice([9, 10, 11, 12, 13, 14, 15, 16, 17, 100, 5000])
        at = rng.choice(names)
        return (text[:at] + '"deep":' + "[" * depth + "]" * depth + "," + text[at:]).encode()
    if what == 9:
        return json.dumps(json.loads(data), indent=1, ensure_ascii=rng.random() < 0.5).encode()
    if what == 10:
        value = json.loads(data)
        return json.dumps(dict(reversed(value.items())), separators=(",", ":"), ensure_ascii=False).encode()
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
