"""Proofs, policies and histories of keys for the differential test of verifiers: right ones, and seeded changes."""

import re

import tlog_verify as tlog
from evidence_cases import (
    LOG,
    NEXT_LOG,
    NODES,
    OTHER_LOG,
    STRANGER,
    WITNESSES,
    Key,
    b64,
    change_json,
    envelope,
    small_key,
)
from evident_oracle import canonical
from evident_oracle.canonical import sha256
from evident_oracle.canonical import tagged_digest as D

MADE = "2026-01-31T23:59:59Z"
SEEN = 1769903999 + 60  # a minute later
BY, LATER, EARLIER = "2026-02-01T23:59:59Z", "2026-02-01T00:30:00Z", "2026-01-15T00:00:00Z"


_NAMED = f"log {LOG.vkey}\n" + "".join(f"witness w{i} {w.vkey}\n" for i, w in enumerate(WITNESSES))
POLICIES = {
    "two of three": _NAMED + "group g 2 w0 w1 w2\nquorum g\n",
    "nested": _NAMED + "group a any w0 w1\ngroup g all a w2\nquorum g\n",
    "one": _NAMED + "quorum w0\n",
    "two logs": f"log {OTHER_LOG.vkey}\n" + _NAMED + "group g any w0 w1 w2\nquorum g\n",
    "two keys": f"log {NEXT_LOG.vkey}\n" + _NAMED + "group g 2 w0 w1 w2\nquorum g\n",
    "quorum none": _NAMED + "quorum none\n",
    "no log": _NAMED.partition("\n")[2] + "group g 2 w0 w1 w2\nquorum g\n",
    "other log": f"log {OTHER_LOG.vkey}\nquorum none\n",
}


def small_vkey(rng):
    """A witness's key for which anyone can sign."""
    public = b"\4" + small_key(rng)
    return f"small+{sha256(b'small' + bytes([10]) + public)[:4].hex()}+{b64(public)}"


def random_policy(rng):
    """A policy over the three witnesses and two more, with groups in groups; sometimes none that can be read."""
    witnesses = [*WITNESSES, STRANGER, Key(31, "w4.example.org", 4)]
    lines = [f"log {LOG.vkey}"] + [f"witness w{i} {w.vkey} https://w{i}.example" for i, w in enumerate(witnesses)]
    free, names = [f"w{i}" for i in range(5)], [f"w{i}" for i in range(5)]
    for n in range(rng.randrange(5)):
        if not free:
            break
        members = rng.sample(free, rng.randint(1, len(free)))
        threshold = rng.choice(["any", "all", str(rng.randint(1, len(members)))])
        lines.append(f"group g{n} {threshold} {' '.join(members)}")
        free = [name for name in free if name not in members] + [f"g{n}"]
        names.append(f"g{n}")
    lines.append(f"quorum {rng.choice([*names, names[-1], names[-1], 'none'])}")
    if rng.random() < 0.3:
        at = rng.randrange(len(lines))
        words = lines[at].split(" ")
        word = rng.randrange(len(words))
        words[word] = rng.choice(
            [
                "",
                "none",
                "any",
                "all",
                "0",
                "1",
                "01",
                "+1",
                "99",
                "w0",
                "g0",
                "w\u0301",
                "\u212a",
                words[word] + "\t",
                words[word].upper(),
                "#",
            ]
        )
        changed = rng.choice(
            [
                [lines[at]] * 2,
                [],
                [" ".join(words)],
                [" ".join(words)],
                [lines[at] + " w1"],
                ["# " + lines[at]],
                ["", " \t"],
                [lines[at] + "\r"],
                [rng.choice(lines)],
                [f"log {NEXT_LOG.vkey}"],
                [f"log {WITNESSES[0].vkey}"],
                [f"witness x {LOG.vkey}"],
                [f"witness x {small_vkey(rng)}"],
                [f"witness x {Key(20, 'x', 4).vkey}"],
            ]
        )
        lines[at : at + 1] = changed
    return "\n".join(lines) + rng.choice(["\n"] * 9 + [""])


def proof(entry, cosigned, index=2, size=5, log=LOG, origin=None, leaf=None):
    """A tlog-proof of the entry at this place of a log, cosigned at these times."""
    leaves = [sha256(b"leaf %d" % n) for n in range(size)]
    leaves[index] = leaf or tlog.leaf_hash(canonical.encode(entry))

    def path(leaves, index):
        if len(leaves) == 1:
            return []
        k = 1 << (len(leaves) - 1).bit_length() - 1
        left, right = leaves[:k], leaves[k:]
        return (
            [*path(left, index), tlog.tree_hash(right)]
            if index < k
            else [*path(right, index - k), tlog.tree_hash(left)]
        )

    text = f"{origin or log.name}\n{size}\n{b64(tlog.tree_hash(leaves))}\n"
    lines = log.line(text) + "".join(witness.line(text, at) for witness, at in cosigned)
    hashes = "".join(b64(h) + "\n" for h in path(leaves, index))
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{text}\n{lines}"


def in_toto(kind, subject, predicate):
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": f"https://evident.dev/{kind}/v1",
        "subject": [{"name": subject.hex, "digest": {"sha256": sha256(subject.public).hex()}}],
        "predicate": predicate,
    }


def succession(old, new, time, consent_by=None):
    consent = D("evident.key.succession.v1", old.public, new.public, time.encode())
    predicate = {
        "from": old.hex,
        "to": new.hex,
        "time": time,
        "consent": b64((consent_by or new).private.sign(consent)),
    }
    return in_toto("key-succession", new, predicate), old


def revocation(key, signer, since):
    return (
        in_toto("key-revocation", key, {"key": key.hex, "from": since, "reason": "stolen", "signer": signer.hex}),
        signer,
    )


def all_three(at):
    return [(witness, at + n) for n, witness in enumerate(WITNESSES)]


def make_proof(rng, entry, changed=True, other=None):
    """The proof of an entry, good or with a change that is its maker's."""
    size = rng.choice([1, 2, 3, 5, 7, 8, 40])
    index = rng.randrange(size)
    if not changed:
        return proof(entry, all_three(SEEN)[: rng.choice([2, 3, 3, 3])], index, size)
    what = rng.randrange(25)
    if what == 0:
        return proof(entry, rng.sample(all_three(SEEN), rng.randrange(3)), index, size)
    if what == 1:
        return proof(
            entry,
            all_three(
                rng.choice([0, 1, SEEN - 10**6, SEEN - 3661, SEEN - 3660, SEEN - 3659, SEEN + 86400, 2**62, 2**63 - 3])
            ),
            index,
            size,
        )
    if what == 2:
        return proof(other or {}, all_three(SEEN), index, size)
    if what == 3:
        return proof(entry, all_three(SEEN), index, size, log=OTHER_LOG)
    if what == 4:
        return proof(
            entry, all_three(SEEN), index, size, origin=rng.choice([OTHER_LOG.name, LOG.name + "x", LOG.name.upper()])
        )
    if what == 5:
        same = Key(10, OTHER_LOG.name, 1)  # the log's key under another name
        return proof(entry, all_three(SEEN), index, size, log=same)
    if what == 6:  # one witness several times, at several times
        times = [SEEN + rng.choice([-86400 * 20, -5, 0, 5, 86400 * 2]) for _ in range(3)]
        lines = [(WITNESSES[0], t) for t in times] + [
            (rng.choice(WITNESSES), SEEN + 9) for _ in range(rng.randrange(2))
        ]
        return proof(entry, lines, index, size)
    if what == 7:
        return proof(entry, [(w, SEEN + rng.choice([-(10**6), -7200, 0, 100000])) for w in WITNESSES], index, size)
    text = proof(entry, all_three(SEEN), index, size)
    head, body, signatures = text.split("\n\n")
    lines, body = signatures.splitlines(), body + "\n"
    if what == 24:
        lines[0:1] = rng.choice(
            [[NEXT_LOG.line(body)[:-1]], [NEXT_LOG.line(body)[:-1], lines[0]], [lines[0], NEXT_LOG.line(body)[:-1]]]
        )
    elif what == 8:  # a cosignature of another checkpoint
        other_body = body.replace(f"\n{size}\n", f"\n{size + 1}\n")
        lines[rng.randrange(1, 4)] = rng.choice(WITNESSES).line(other_body, SEEN)[:-1]
    elif what == 9:  # signatures of other domains
        at = rng.randrange(1, 4)
        w = WITNESSES[at - 1]
        lines[at] = rng.choice(
            [
                w.line(body)[:-1],
                w.line(body, SEEN, "cosignature/v2"),
                w.line(body, SEEN, "subtree/v1"),
                w.line(body, SEEN, ""),
                f"— {w.name} {b64(w.id + SEEN.to_bytes(8, 'big') + w.private.sign(body.encode()))}",
                w.line(body, 2**63),
                w.line(body, 2**64 - 1),
                f"— {w.name} {b64(w.id)}",
                f"— {w.name} {b64(w.id + bytes(72))}",
                f"— {w.name} {b64(w.id + bytes(8))}",
            ]
        ).rstrip("\n")
    elif what == 10:
        lines.append(
            rng.choice(
                [
                    STRANGER.line(body, SEEN)[:-1],
                    LOG.line(body)[:-1],
                    f"— {STRANGER.name} AAAAAAA=",
                    f"— {STRANGER.name} AAAAAA==",
                    f"— {LOG.name} {b64(b'1234' + bytes(64))}",
                    f"— {LOG.name}  {b64(bytes(68))}",
                    f"- {LOG.name} {b64(bytes(68))}",
                    f"— a+b {b64(bytes(68))}",
                    f"— é {b64(bytes(68))}",
                    f"— a\u00a0b {b64(bytes(68))}",
                    f"— {LOG.name.upper()} {b64(LOG.id + bytes(64))}",
                    f"— {'n' * 256} {b64(bytes(68))}",
                    f"— n {b64(bytes(8192))}",
                    f"— n {b64(bytes(8193))}",
                    f"— n {b64(bytes(8197))}",
                ]
            )
        )
    elif what == 11:
        rng.shuffle(lines)
    elif what == 12:
        lines[rng.randrange(4)] = rng.choice(lines)
    elif what == 13:
        del lines[rng.randrange(4)]
    elif what == 14:
        lines += [f"— n{i} {b64(bytes(70))}" for i in range(rng.choice([12, 96, 97]))]
    elif what == 15:
        head = head.replace(
            "\nindex",
            "\nextra " + rng.choice([b64(b"x"), "", "AB==", b64(bytes(65536)), b64(bytes(65537))]) + "\nindex",
        )
    elif what == 16:
        head = re.sub(
            "index [0-9]+",
            "index " + rng.choice(["0", "1", "01", "-1", str(size), str(2**63), str(2**64), "", " 1", "1 ", "٣"]),
            head,
        )
    elif what == 17:
        hashes = head.split("\n")[2:]
        hashes = rng.choice(
            [
                hashes[:-1],
                hashes + [b64(bytes(32))],
                hashes[::-1],
                hashes + hashes,
                [b64(bytes(32))] * rng.choice([63, 64]),
            ]
        )
        head = "\n".join(head.split("\n")[:2] + hashes)
    elif what == 18:  # the log signs another form of checkpoint
        body = rng.choice(
            [
                body + "extension\n",
                body.replace(f"\n{size}\n", f"\n0{size}\n"),
                body[:-2] + "\n",
                body + "\n",
                body.replace("\n", "\n\n", 1),
                body.replace(f"\n{size}\n", f"\n{2**63}\n"),
                body.replace(f"\n{size}\n", "\n0\n"),
            ]
        )
        lines = [LOG.line(body)[:-1], *(w.line(body, SEEN)[:-1] for w in WITNESSES)]
        return head + "\n\n" + body + "\n" + "\n".join(lines) + "\n"
    elif what == 19:
        lines[0] = rng.choice([OTHER_LOG.line(body)[:-1], f"— {LOG.name} {b64(LOG.id + bytes(64))}", lines[1]])
    elif what == 20:
        changed = change_json(rng, whole := [text]) and whole
        return changed[0] if changed and isinstance(changed[0], str) else text + "\n"
    elif what == 21:
        data = bytearray(text.encode())
        at = rng.randrange(len(data))
        data[at] ^= 1 << rng.randrange(7)
        return data.decode(errors="replace")
    elif what == 22:
        at = rng.randrange(len(text))
        return text[:at] + rng.choice(["\n", " ", "\r", "\0", "\u0301", "\t", "="]) + text[at:]
    else:
        return rng.choice(
            [
                head,
                head + "\n\n",
                text[:-1],
                text + "\n",
                head + "\n\n\n" + body,
                text.replace("\n", "\r\n"),
                "",
                text.replace("@v1", "@v2"),
            ]
        )
    return head + "\n\n" + body + "\n" + "\n".join(lines) + "\n"


def history(rng, changed):
    """Entries about keys up to the one that signs, NODES[n]; and n."""
    n = rng.randrange(4)
    items = [succession(NODES[i], NODES[i + 1], EARLIER) for i in range(n)]
    since = rng.choice([EARLIER, MADE, "2026-02-01T00:01:01Z", LATER, "2026-03-01T00:00:00Z"])
    if rng.random() < 0.5:
        i = rng.randrange(n + 1)
        signer = NODES[rng.choice([i, min(i + 1, n)])]
        items.insert(rng.choice([len(items), min(i + 1, len(items))]), revocation(NODES[i], signer, since))
    if changed:
        what = rng.randrange(9)
        if what == 0 and items:
            items[rng.randrange(len(items))] = rng.choice(items)
        elif what == 1:
            rng.shuffle(items)
        elif what == 2 and items:
            del items[rng.randrange(len(items))]
        elif what == 3:
            items.append(succession(NODES[n], NODES[rng.randrange(5)], EARLIER))
        elif what == 4:
            items.insert(0, succession(NODES[4], NODES[0], EARLIER, rng.choice([None, NODES[0], NODES[4]])))
        elif what == 5:
            items.append(revocation(NODES[rng.randrange(5)], NODES[rng.randrange(5)], since))
        elif what == 6:
            items.append(succession(NODES[rng.randrange(5)], NODES[rng.randrange(5)], EARLIER))
        elif what == 7 and items:
            statement, signer = items[at := rng.randrange(len(items))]
            items[at] = statement, rng.choice([signer, NODES[4]])
            change_json(rng, statement)
        elif what == 8 and items:
            statement, signer = items[at := rng.randrange(len(items))]
            items[at] = statement, rng.choice(NODES)
    made, place, late = [], 1, rng.random() < 0.3
    logs = rng.choice([[LOG], [LOG], [LOG, OTHER_LOG]]) if changed else [LOG]
    for statement, signer in items:
        try:
            entry = envelope(canonical.encode(statement), signer)
        except ValueError:
            continue
        at = SEEN - 10**6 + place if not late else SEEN + rng.choice([-(10**6), 0, 2000, 10**7])
        bad = changed and rng.random() < 0.1
        made.append(
            {
                "entry": entry,
                "log": make_proof(rng, entry) if bad else proof(entry, all_three(at), place, 40, rng.choice(logs)),
            }
        )
        place += (
            rng.choice([1, 1, 2, 0, -1]) if len(logs) == 2 else rng.choice([1, 1, 1, 1, 2, 0, -1]) if changed else 1
        )
        place = max(place, 0)
    return made, n
