"""Recomputes the golden vectors from docs/spec/evidence.md alone. Needs Python 3.9; with the package
`cryptography` it also checks the signature. Run: python3 check_vectors.py"""

import base64
import datetime
import hashlib
import json
import pathlib
import struct
import sys

folder = pathlib.Path(__file__).parent
failures = []


def load(name):
    return json.loads((folder / name).read_bytes())


def canonical(value):
    # Names and integers here are ASCII and small, so this is RFC 8785.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tagged(tag, *parts):
    h = hashlib.sha256(tag.encode() + b"\0")
    for part in parts:
        h.update(struct.pack(">Q", len(part)) + part)
    return h.digest()


def expect(what, found, wanted):
    if found != wanted:
        failures.append(f"{what}: {found} instead of {wanted}")


def time_text(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


file = load("opened.evidence.json")
values = load("intermediate.json")
receipt = load("receipt.json")
payload = (folder / "statement.json").read_bytes()
statement = json.loads(payload)
predicate = statement["predicate"]
opening = file["opening"]
salt = bytes.fromhex(opening["salt"])


def salt_for(tag):
    return tagged("evident.salt.v1", salt, tag.encode())


def commit(tag, content):
    return tagged(tag, salt_for(tag), content)


def ids(tokens):
    return b"".join(struct.pack("<I", t) for t in tokens)


expect("payload", canonical(statement), payload)
expect("envelope", base64.b64decode(receipt["payload"]), payload)
expect("receipt in file", file["receipt"], receipt)
expect("file", canonical(file), (folder / "opened.evidence.json").read_bytes())

request = canonical(opening["request"])
expect("request", request.hex(), values["requestBytes"])
expect("prompt salt", salt_for("evident.commit.prompt.v1").hex(), values["promptSalt"])
prompt = commit("evident.commit.prompt.v1", request).hex()
input_digest = tagged("evident.tokens.in.v1", ids(opening["inputTokens"]))
output_digest = tagged("evident.tokens.out.v1", ids(opening["outputTokens"]))
expect("input token digest", input_digest.hex(), values["inputTokenDigest"])
expect("output token digest", output_digest.hex(), values["outputTokenDigest"])
input_commitment = commit("evident.commit.input.v1", input_digest).hex()
output_commitment = commit("evident.commit.output.v1", output_digest).hex()
text = commit("evident.commit.text.v1", opening["text"].encode()).hex()
for name, found, stated in [
    ("promptCommitment", prompt, predicate["input"]["promptCommitment"]),
    ("inputTokenCommitment", input_commitment, predicate["input"]["tokenCommitment"]),
    ("outputTokenCommitment", output_commitment, predicate["output"]["tokenCommitment"]),
    ("textCommitment", text, predicate["output"]["textCommitment"]),
]:
    expect(name, found, values[name])
    expect(name + " in the statement", "sha256:" + found, stated)
expect("subject", statement["subject"], [{"name": predicate["responseId"], "digest": {"sha256": output_commitment}}])
expect("parameters", tagged("evident.parameters.v1", canonical(predicate["parameters"])).hex(), values["parametersDigest"])

link = tagged("evident.stream.start.v1", salt_for("evident.stream.start.v1"), predicate["receiptId"].encode())
links = [link.hex()]
for token in opening["outputTokens"][: predicate["stream"]["deliveredTokens"]]:
    link = tagged("evident.stream.link.v1", link, ids([token]))
    links.append(link.hex())
expect("stream links", links, values["streamLinks"])
expect("stream head", "sha256:" + link.hex(), predicate["stream"]["head"])

public = bytes.fromhex(predicate["node"]["publicKey"])
expect("public key", public.hex(), values["publicKey"])
expect("key id", hashlib.sha256(public).hexdigest(), values["keyId"])
expect("key id in the envelope", receipt["signatures"][0]["keyid"], values["keyId"])
kind = receipt["payloadType"].encode()
encoding = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
expect("encoding", hashlib.sha256(encoding).hexdigest(), values["preAuthenticationEncodingDigest"])

# The log's proof (C2SP tlog-proof), RFC 6962 for the path.
proof, _, checkpoint = file["log"].partition("\n\n")
body, _, lines = checkpoint.partition("\n\n")
body += "\n"
header, index, *path = proof.split("\n")
origin, size, root = body.splitlines()
expect("proof", (header, index, size), ("c2sp.org/tlog-proof@v1", "index 1", "3"))
leaf = hashlib.sha256(b"\0" + canonical(receipt)).digest()
expect("leaf", leaf.hex(), values["leafHash"])
left, right = (base64.b64decode(h) for h in path)
node = hashlib.sha256(b"\1" + left + leaf).digest()
expect("root", base64.b64encode(hashlib.sha256(b"\1" + node + right).digest()).decode(), root)
expect("keys", file["keys"], [])


def verifier_key(text, kind):
    name, key_id, key = text.split("+", 2)
    key = base64.b64decode(key)
    expect(name, (key[:1], hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()), (kind, key_id))
    return name, bytes.fromhex(key_id), key[1:]


signatures = dict(line.split(" ")[1:] for line in lines.splitlines())
log = verifier_key(predicate["promise"]["log"], b"\1")
witness = verifier_key(values["witness"], b"\4")
expect("origin", origin, log[0])
by_log, by_witness = (base64.b64decode(signatures[name]) for name, _, _ in (log, witness))
expect("key ids", (by_log[:4], by_witness[:4]), (log[1], witness[1]))
seen = int.from_bytes(by_witness[4:12], "big")
expect("promise", predicate["time"] < time_text(seen) < predicate["promise"]["loggedBy"], True)

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ImportError:
    print("signature not checked: the package cryptography is not installed")
else:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(values["secretKey"]))
    expect("public key of the secret key", key.public_key().public_bytes_raw().hex(), public.hex())
    expect("signature", base64.b64encode(key.sign(encoding)).decode(), receipt["signatures"][0]["sig"])
    # These raise an exception when they do not fit.
    Ed25519PublicKey.from_public_bytes(log[2]).verify(by_log[4:], body.encode())
    Ed25519PublicKey.from_public_bytes(witness[2]).verify(by_witness[12:], f"cosignature/v1\ntime {seen}\n{body}".encode())

print("\n".join(failures) or "all vectors agree")
sys.exit(bool(failures))
