"""Verifies public logs; written from the C2SP texts and RFC 9162 alone. Exits with 1 when something does not hold.

    tlog_verify.py log DIRECTORY POLICY [OLD_CHECKPOINT]   all tiles and bundles, signatures, quorum, growth
    tlog_verify.py proof FILE POLICY ENTRY_FILE            a tlog-proof of the entry in that file
"""
import base64, hashlib, re, sys
from pathlib import Path
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def need(condition, what):
    if not condition: raise ValueError(what)
def sha(data): return hashlib.sha256(data).digest()
def leaf_hash(entry): return sha(b"\0" + entry)
def node_hash(left, right): return sha(b"\1" + left + right)
def unbase64(text, size=None):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data) == text and size in (None, len(data)), "base64")
    return data
def number(text):
    need(re.fullmatch(rb"0|[1-9][0-9]{0,18}", text) and int(text) < 2**63, "number")
    return int(text)
def is_name(name): return name and not re.search(r"[\s+\0-\x1f]", name.decode())
def vkey(text, kind):  # name+hex(key ID)+base64(type, key)
    parts = text.split(b"+", 2)
    need(len(parts) == 3 and is_name(parts[0]), "vkey")
    key = unbase64(parts[2], 33)
    key_id = sha(parts[0] + b"\n" + key)[:4]
    need(key[0] == kind and parts[1] == key_id.hex().encode(), "type or ID of a key")
    return parts[0], key_id, kind, key[1:]
def note(data):
    need(not re.search(r"[\0-\x09\x0b-\x1f]", data.decode()) and data.endswith(b"\n"), "text of a note")
    (text, gap, lines), signatures = data.rpartition(b"\n\n"), []
    need(gap, "no empty line before the signatures")
    for line in lines[:-1].split(b"\n"):
        parts = line.split(b" ")
        need(len(parts) == 3 and parts[0] == "—".encode() and is_name(parts[1]), "signature line")
        blob = unbase64(parts[2])
        need(len(blob) > 4, "signature")
        signatures.append((parts[1], blob[:4], blob[4:]))
    return text + b"\n", signatures
def check_signature(text, kind, key, signature):
    if kind == 4:  # cosignature/v1
        time = int.from_bytes(signature[:8], "big")
        need(len(signature) == 72 and time < 2**63, "cosignature")
        text, signature = b"cosignature/v1\ntime %d\n" % time + text, signature[8:]
    Ed25519PublicKey.from_public_bytes(key).verify(signature, text)

def policy(data):  # log keys, {name: witness key or (threshold, members)}, quorum
    logs, names, used, quorum = [], {b"none": ()}, set(), None
    need(data.endswith(b"\n") and not re.search(rb"[\0-\x08\x0b-\x1f\x7f]", data), "bytes of a policy")
    for line in data.split(b"\n"):
        match re.split(rb"[ \t]+", line.strip(b" \t")):
            case [word, *_] if not word or word.startswith(b"#"): continue
            case [b"log", key] | [b"log", key, _]: logs.append(vkey(key, 1))
            case [b"witness", name, key] | [b"witness", name, key, _] if name not in names: names[name] = vkey(key, 4)
            case [b"group", name, rule, *members] if members and name not in names and name not in members:
                k = {b"any": 1, b"all": len(members)}.get(rule) or number(rule)
                need(1 <= k <= len(members) and all(names.get(m) for m in members), "group")
                need(len({*members}) == len(members) and not used & {*members}, "member twice")
                used |= {*members}
                names[name] = k, members
            case [b"quorum", name] if quorum is None and name in names: quorum = name
            case _: raise ValueError("line of a policy")
    for keys in (logs, [w for w in names.values() if len(w) == 4]):
        need(quorum is not None and len({k[3] for k in keys}) == len(keys), "no quorum, or a key twice")
    return logs, names, quorum
def accept(data, trusted):  # origin, size and root of a checkpoint that the policy considers valid
    (logs, names, quorum), (text, signatures) = trusted, note(data)
    lines, good = text.split(b"\n"), set()
    need(len(lines) == 4 and lines[0] and not lines[3], "lines of a checkpoint")
    known = {key[:2]: key for key in [*logs, *names.values()] if len(key) == 4}
    for name, key_id, signature in signatures:
        if (name, key_id) in known:
            check_signature(text, *known[name, key_id][2:], signature)
            good.add((name, key_id))
    def holds(what): return what[:2] in good if len(what) == 4 else sum(holds(names[m]) for m in what[1]) >= what[0]
    need(any(key[:2] in good and key[0] == lines[0] for key in logs), "no signature of the log")
    need(quorum == b"none" or holds(names[quorum]), "no quorum")
    return lines[0], number(lines[1]), unbase64(lines[2], 32)

def climb(fn, sn, fr, sr, proof):  # RFC 9162, 2.1.3.2 step 4 and 2.1.4.2 step 6
    for c in proof:
        need(sn, "proof too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1: fn, sn = fn >> 1, sn >> 1
        else: sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "proof too short")
    return fr, sr
def check_inclusion(leaf, index, size, proof, root):
    need(index < size and climb(index, size - 1, leaf, leaf, proof)[1] == root, "inclusion")
def check_consistency(old, old_root, new, new_root, proof):
    need(0 < old <= new and (proof or old == new), "sizes")
    if old == new: return need(not proof and old_root == new_root, "equal sizes")
    first, *rest = proof if old & (old - 1) else [old_root, *proof]
    fn, sn = old - 1, new - 1
    while fn & 1: fn, sn = fn >> 1, sn >> 1
    need(climb(fn, sn, first, first, rest) == (old_root, new_root), "consistency")
def tree_hash(hashes):
    if len(hashes) < 2: return hashes[0] if hashes else sha(b"")
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(tree_hash(hashes[:k]), tree_hash(hashes[k:]))
def tile_path(kind, index, width):
    *first, last = re.findall("...", str(index).zfill(-(-len(str(index)) // 3) * 3))
    path = "/".join(["tile", str(kind), *("x" + group for group in first), last])
    return path if width == 256 else f"{path}.p/{width}"
def read_log(directory, size):  # leaf hashes, once the tiles of every level and the bundles agree
    levels = []
    for level in range(8):
        hashes = []
        for start in range(0, size >> 8 * level, 256):
            width = min(256, (size >> 8 * level) - start)
            data = (directory / tile_path(level, start // 256, width)).read_bytes()
            need(len(data) == 32 * width, "length of a tile")
            hashes += [data[i:i + 32] for i in range(0, len(data), 32)]
            bundle = (directory / tile_path("entries", start // 256, width)).read_bytes() if level == 0 else b""
            for i in range(start, start + width if level == 0 else start):
                end = 2 + int.from_bytes(bundle[:2], "big")
                need(2 <= end <= len(bundle) and leaf_hash(bundle[2:end]) == hashes[i], "entries")
                bundle = bundle[end:]
            need(not bundle, "long bundle")
        need(not level or hashes == [tree_hash(levels[-1][256 * i:][:256]) for i in range(len(hashes))], "upper tile")
        levels.append(hashes)
    return levels[0]
def verify_log(directory, trusted, old=None):
    origin, size, root = accept((directory / "checkpoint").read_bytes(), trusted)
    leaves = read_log(directory, size)
    need(tree_hash(leaves) == root, "root")
    old_origin, old_size, old_root = accept(old, trusted) if old else (origin, size, root)
    need(old_origin == origin and old_size <= size and tree_hash(leaves[:old_size]) == old_root, "growth")
    return origin.decode(), size
def verify_proof(file, trusted, leaf):
    head, _, signed = file.read_bytes().partition(b"\n\n")
    form = re.fullmatch(rb"c2sp\.org/tlog-proof@v1\n(?:extra (.+)\n)?index (.+)((?:\n.+)*)", head)
    need(form and (form[1] is None or unbase64(form[1])), "form of the proof")
    origin, size, root = accept(signed, trusted)
    check_inclusion(leaf, number(form[2]), size, [unbase64(line, 32) for line in form[3].split(b"\n")[1:]], root)
    return origin.decode(), size

if __name__ == "__main__":
    try:
        command, path, trusted = sys.argv[1], Path(sys.argv[2]), policy(Path(sys.argv[3]).read_bytes())
        file = Path(sys.argv[4]).read_bytes() if len(sys.argv) > 4 else None
        print("ok: %s, %d entries" % (
            verify_log(path, trusted, file) if command == "log" else verify_proof(path, trusted, leaf_hash(file))))
    except (ValueError, InvalidSignature, OSError) as error: sys.exit(f"refused: {error or 'signature'}")

