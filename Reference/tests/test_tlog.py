"""The verifier of public logs against published vectors, Tessera's log, and the log that the product's code wrote."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tlog_verify
from cryptography.exceptions import InvalidSignature

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "Tests" / "TransparencyTests" / "Fixtures"
REFUSALS = (ValueError, InvalidSignature, OSError)
SHARED = os.environ.get("EVIDENT_SHARED")
VECTORS = Path(SHARED) / "vectors" / "tlog" if SHARED else None
needs_vectors = pytest.mark.skipif(not SHARED, reason="EVIDENT_SHARED is unset: the vectors are not at hand")
TESSERA_KEY = b"example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def trusted(change=lambda text: text):
    return tlog_verify.policy(change((FIXTURES / "log.policy").read_bytes()))


def proof_hashes(vector):
    return [tlog_verify.unbase64(line.encode(), 32) for line in vector["proof"] or []]


@needs_vectors
@pytest.mark.parametrize("kind, count", [("inclusion", 98), ("consistency", 98)])
def test_proofs_are_judged_as_the_vectors_say(kind, count):
    files = sorted((VECTORS / "merkle" / kind).rglob("*.json"))
    assert len(files) == count
    for file in files:
        vector = json.loads(file.read_text())
        roots = [base64.b64decode(vector[name] or "") for name in ("root", "root1", "root2", "leafHash") if name in vector]
        try:
            # "don't care" stands for a hash where only equality matters.
            assert all(len(root) == 32 or root.startswith(b"don't care") for root in roots), "length"
            if kind == "inclusion":
                tlog_verify.check_inclusion(roots[1], vector["leafIdx"], vector["treeSize"], proof_hashes(vector), roots[0])
            else:
                tlog_verify.check_consistency(vector["size1"], roots[0], vector["size2"], roots[1], proof_hashes(vector))
            holds = True
        except (ValueError, AssertionError):
            holds = False
        assert holds == (not vector["wantErr"]), file


@needs_vectors
def test_tesseras_log_at_every_size(tmp_path):
    log = VECTORS / "tessera" / "log"
    policy = tlog_verify.policy(b"log " + TESSERA_KEY + b"\nquorum none\n")
    for size in range(16):
        folder = tmp_path / str(size)
        shutil.copytree(log / "tile", folder / "tile", copy_function=shutil.copyfile)
        (folder / "checkpoint").write_bytes((log / f"checkpoint.{size}").read_bytes())
        for old in range(1, size + 1):
            old_checkpoint = (log / f"checkpoint.{old}").read_bytes()
            assert tlog_verify.verify_log(folder, policy, old_checkpoint) == ("example.com/log/testdata", size)


@needs_vectors
@pytest.mark.parametrize("folder, origin_hash, description", [
    ("witness", "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706", "witness/witness.v0.json"),
    ("witness2", "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482", "witness2/witness.v0.json"),
])
def test_sunlights_cosignatures(folder, origin_hash, description):
    vkey = json.loads((VECTORS / "witness" / description).read_text())["verifier_keys"][0].encode()
    key = tlog_verify.vkey(vkey, 4)
    text, signatures = tlog_verify.note((VECTORS / "witness" / folder / origin_hash / "checkpoint").read_bytes())
    [signature] = [s for name, key_id, s in signatures if (name, key_id) == key[:2]]
    tlog_verify.check_signature(text, 4, key[3], signature)
    with pytest.raises(InvalidSignature):
        tlog_verify.check_signature(text.replace(b"300", b"301"), 4, key[3], signature)


def test_our_log_is_accepted():
    assert tlog_verify.verify_log(FIXTURES / "log", trusted()) == ("log.example/evident", 300)
    assert tlog_verify.verify_log(FIXTURES / "log", trusted(), (FIXTURES / "checkpoint-100").read_bytes())[1] == 300
    for name, index in [("entry-70", 70), ("entry-299-two-witnesses", 299)]:
        leaf = tlog_verify.leaf_hash(b"entry %d" % index)
        assert tlog_verify.verify_proof(FIXTURES / f"{name}.tlog-proof", trusted(), leaf)[1] == 300
    old = tlog_verify.accept((FIXTURES / "checkpoint-100").read_bytes(), trusted())
    new = tlog_verify.accept((FIXTURES / "log" / "checkpoint").read_bytes(), trusted())
    lines = (FIXTURES / "consistency-100-300").read_bytes().split()
    proof = [tlog_verify.unbase64(line, 32) for line in lines]
    tlog_verify.check_consistency(old[1], old[2], new[1], new[2], proof)
    for i in range(len(proof)):
        with pytest.raises(ValueError):
            tlog_verify.check_consistency(old[1], old[2], new[1], new[2], proof[:i] + proof[i + 1:])


def test_the_command_line():
    def run(*arguments):
        command = [sys.executable, HERE.parent / "tlog_verify.py", *arguments]
        return subprocess.run(command, cwd=FIXTURES, capture_output=True, text=True)
    good = run("log", "log", "log.policy", "checkpoint-100")
    assert (good.returncode, good.stdout) == (0, "ok: log.example/evident, 300 entries\n")
    bad = run("proof", "entry-70.tlog-proof", "log.policy", "checkpoint-100")
    assert bad.returncode == 1 and bad.stderr == "refused: inclusion\n"


def flipped(data, at, bit=1):
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]


# File of the log, change.
LOG_TAMPERS = {
    **{f"{path} byte {at}": (path, lambda data, at=at: flipped(data, at)) for path, size in [
        ("tile/0/000", 8192), ("tile/0/001.p/44", 1408), ("tile/1/000.p/1", 32), ("tile/entries/000", 1500),
        ("tile/entries/001.p/44", 400)] for at in (0, size // 2, size - 1)},
    **{f"{path} {what}": (path, change) for path in ("tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/44")
       for what, change in [("cut", lambda d: d[:-1]), ("longer", lambda d: d + b"\0"), ("empty", lambda d: b""),
                            ("gone", None)]},
    "size": ("checkpoint", lambda d: d.replace(b"\n300\n", b"\n299\n")),
    "size with a zero": ("checkpoint", lambda d: d.replace(b"\n300\n", b"\n0300\n")),
    "origin": ("checkpoint", lambda d: d.replace(b"evident\n", b"evidenz\n")),
    "extension line": ("checkpoint", lambda d: d.replace(b"\n\n", b"\nextension\n\n")),
    "no log signature": ("checkpoint", lambda d: d.replace(b"log.example/evident ", b"log.example/other ")),
    "two witnesses less": ("checkpoint", lambda d: d.replace(b"w1.", b"w8.").replace(b"w2.", b"w9.")),
    "last newline": ("checkpoint", lambda d: d[:-1]),
    "carriage return": ("checkpoint", lambda d: d.replace(b"\n", b"\r\n")),
    "another checkpoint": ("checkpoint", lambda d: (FIXTURES / "checkpoint-100").read_bytes()),
}
# Change of a proof of entry 70.
PROOF_TAMPERS = {
    "header": lambda d: d.replace(b"@v1", b"@v2"), "header's dot": lambda d: d.replace(b"c2sp.org", b"c2sp-org"),
    "index 71": lambda d: d.replace(b"index 70", b"index 71"), "index 070": lambda d: d.replace(b"index 70", b"index 070"),
    "index 300": lambda d: d.replace(b"index 70", b"index 300"), "no index": lambda d: d.replace(b"index 70\n", b""),
    "extra": lambda d: d.replace(b"extra ZX", b"extra Z"), "extra twice": lambda d: d.replace(b"\nextra", b"\nextra AA==\nextra"),
    "first hash gone": lambda d: b"\n".join(d.split(b"\n")[:3] + d.split(b"\n")[4:]),
    "first hash twice": lambda d: b"\n".join(d.split(b"\n")[:4] + d.split(b"\n")[3:]),
    "hashes exchanged": lambda d: b"\n".join([*d.split(b"\n")[:3], d.split(b"\n")[4], d.split(b"\n")[3], *d.split(b"\n")[5:]]),
    "no empty line": lambda d: d.replace(b"\n\nlog", b"\nlog"), "cut": lambda d: d[:-1], "longer": lambda d: d + b"\n",
    "root": lambda d: flipped(d, d.index(b"\n300\n") + 10), "log signature": lambda d: flipped(d, d.index(b"evident ") + 40),
    "witness signature": lambda d: flipped(d, d.index(b"w2.") + 60), "witness time": lambda d: flipped(d, d.index(b"w2.") + 32),
}
# Change of the policy.
POLICY_TAMPERS = {
    "no quorum": lambda d: d.replace(b"quorum witnesses\n", b""), "two quorums": lambda d: d + b"quorum none\n",
    "unknown quorum": lambda d: d.replace(b"quorum witnesses", b"quorum others"),
    "threshold 0": lambda d: d.replace(b"witnesses 2 ", b"witnesses 0 "),
    "threshold 4": lambda d: d.replace(b"witnesses 2 ", b"witnesses 4 "),
    "unknown member": lambda d: d.replace(b"two three", b"two four"), "member twice": lambda d: d.replace(b"two three", b"two two"),
    "member of itself": lambda d: d.replace(b"two three", b"two witnesses"), "member none": lambda d: d.replace(b"two three", b"two none"),
    "name twice": lambda d: d.replace(b"witness two", b"witness one"), "unknown word": lambda d: b"logs x\n" + d,
    "key ID": lambda d: d.replace(b"log log.example/evident+", b"log log.example/evident+0"),
    "log for a witness": lambda d: d.replace(b"witness one w1", b"log w1"), "key twice": lambda d: d + d.split(b"\n")[1] + b"\n",
    "last newline": lambda d: d[:-1], "control character": lambda d: d.replace(b"# ", b"#\x01"),
    "no log": lambda d: d.replace(d.split(b"\n")[1] + b"\n", b""),
}


def test_there_are_enough_tampers():
    assert len(LOG_TAMPERS) + len(PROOF_TAMPERS) + len(POLICY_TAMPERS) >= 50


@pytest.mark.parametrize("name", LOG_TAMPERS)
def test_changed_logs_are_refused(name, tmp_path):
    path, change = LOG_TAMPERS[name]
    shutil.copytree(FIXTURES / "log", tmp_path / "log")
    file = tmp_path / "log" / path
    if change is None:
        file.unlink()
    else:
        data = change(file.read_bytes())
        assert data != file.read_bytes()
        file.write_bytes(data)
    with pytest.raises(REFUSALS):
        tlog_verify.verify_log(tmp_path / "log", trusted())


@pytest.mark.parametrize("name", PROOF_TAMPERS)
def test_changed_proofs_are_refused(name, tmp_path):
    original = (FIXTURES / "entry-70.tlog-proof").read_bytes()
    (tmp_path / "proof").write_bytes(PROOF_TAMPERS[name](original))
    assert (tmp_path / "proof").read_bytes() != original
    with pytest.raises(REFUSALS):
        tlog_verify.verify_proof(tmp_path / "proof", trusted(), tlog_verify.leaf_hash(b"entry 70"))


@pytest.mark.parametrize("name", POLICY_TAMPERS)
def test_changed_policies_are_refused(name):
    original = (FIXTURES / "log.policy").read_bytes()
    assert POLICY_TAMPERS[name](original) != original
    with pytest.raises(REFUSALS):
        tlog_verify.verify_proof(
            FIXTURES / "entry-70.tlog-proof", trusted(POLICY_TAMPERS[name]), tlog_verify.leaf_hash(b"entry 70"))


def test_every_bit_of_a_proof_counts(tmp_path):
    """With all three witnesses asked for, and except in the extra line, which nothing authenticates."""
    policy = trusted(lambda text: text.replace(b"witnesses 2", b"witnesses all"))
    data = (FIXTURES / "entry-70.tlog-proof").read_bytes()
    extra = range(data.index(b"extra ") + 6, data.index(b"\nindex"))
    leaf = tlog_verify.leaf_hash(b"entry 70")
    for at in set(range(len(data))) - set(extra):
        (tmp_path / "proof").write_bytes(flipped(data, at, 1 << at % 8))
        with pytest.raises(REFUSALS):
            tlog_verify.verify_proof(tmp_path / "proof", policy, leaf)
