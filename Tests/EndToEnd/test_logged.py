"""What a log's proof shows, by the command: made here with a log and witnesses of our own, from the C2SP texts."""

import base64
import hashlib
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import httpx

from conftest import ROOT, Server, run

QUESTION = "How do I verify an answer?"
ORIGIN = "log.example.org/test"


def sha(data):
    return hashlib.sha256(data).digest()


def b64(data):
    return base64.b64encode(data).decode()


class Key:
    def __init__(self, name, kind, seed):
        self.name, self.kind = name, bytes([kind])
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.kind + self.private.public_key().public_bytes_raw()
        self.id = sha(name.encode() + b"\n" + self.public)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(self.public)}"

    def line(self, text, at=None):
        if at is None:
            signature = self.private.sign(text.encode())
        else:
            signature = at.to_bytes(8, "big") + self.private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return f"— {self.name} {b64(self.id + signature)}\n"


LOG = Key(ORIGIN, 1, 1)
WITNESSES = [Key(f"witness{i}.example.org", 4, 10 + i) for i in range(3)]
POLICY = f"log {LOG.vkey}\n" + "".join(f"witness w{i} {w.vkey}\n" for i, w in enumerate(WITNESSES))
TWO_OF_THREE = POLICY + "group enough 2 w0 w1 w2\nquorum enough\n"


def proof(entry, before, after, witnesses, at):
    """A tlog-proof of the entry, one of three."""
    leaves = [sha(b"\0" + data) for data in (before, entry, after)]
    root = sha(b"\1" + sha(b"\1" + leaves[0] + leaves[1]) + leaves[2])
    text = f"{ORIGIN}\n3\n{b64(root)}\n"
    signatures = LOG.line(text) + "".join(w.line(text, at) for w in witnesses)
    return f"c2sp.org/tlog-proof@v1\nindex 1\n{b64(leaves[0])}\n{b64(leaves[2])}\n\n{text}\n{signatures}"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    home = tmp_path_factory.mktemp("answer")
    run(home, "run", "--evidence", "a.json", QUESTION)
    return json.loads((home / "a.json").read_bytes())


def logged(answer, path, witnesses=WITNESSES, at=None):
    file = dict(answer)
    file["log"] = proof(canonical(file["receipt"]), b"x", b"y", witnesses, at or int(time.time()))
    path.write_bytes(canonical(file))


def test_policy_check_says_what_it_does_not_check(answer, tmp_path):
    logged(answer, tmp_path / "a.json")
    (tmp_path / "policy").write_text(TWO_OF_THREE)
    (tmp_path / "a.tlog-proof").write_text(json.loads((tmp_path / "a.json").read_bytes())["log"])
    done = run(tmp_path, "policy", "check", "policy", "a.tlog-proof")
    assert "SKIP inclusion: not checked" in done.out and done.out.endswith("ACCEPTED\n"), done.out
    checks = json.loads(run(tmp_path, "policy", "check", "--json", "policy", "a.tlog-proof").out)["checks"]
    assert {"check": "inclusion", "outcome": "SKIP"}.items() <= checks[-1].items()


def verify(home, *flags, check):
    return json.loads(run(home, "verify", "a.json", "--json", *flags, check=check).out)


def outcomes(verdict):
    return {c["check"]: c["outcome"] for c in verdict["checks"]}


def level(verdict, name="logged"):
    return next(row for row in verdict["levels"] if row["level"] == name)


def test_two_of_three_witnesses(tmp_path, answer):
    (tmp_path / "policy").write_text(TWO_OF_THREE)
    logged(answer, tmp_path / "a.json", WITNESSES[1:])
    verdict = verify(tmp_path, "--policy", "policy", "--require-level", "logged", check=0)
    assert level(verdict)["state"] == "established" and verdict["policy"] == {"source": "file", "file": "policy"}
    found = outcomes(verdict)
    assert all(found[c] == "PASS" for c in ("inclusion", "logSignature", "witnessQuorum", "logTime"))
    # One is too few.
    logged(answer, tmp_path / "a.json", WITNESSES[:1])
    verdict = verify(tmp_path, "--policy", "policy", check=1)
    assert outcomes(verdict)["witnessQuorum"] == "FAIL" and outcomes(verdict)["inclusion"] == "PASS"


def test_the_standard_policy_is_used_and_named(tmp_path, answer):
    logged(answer, tmp_path / "a.json")
    folder = tmp_path / "config" / "evident"
    folder.mkdir(parents=True)
    (folder / "policy").write_text(TWO_OF_THREE)
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    text = run(tmp_path, "verify", "a.json", **config).out
    assert f"policy   {folder}/policy" in text and "VERIFIED: signed, logged" in text
    # A policy that cannot be read is no reason to take another one.
    (folder / "policy").write_text("quorum nobody\n")
    # It refutes nobody either: nothing could be checked.
    broken = run(tmp_path, "verify", "a.json", check=2, **config)
    assert "line 1 of the policy" in broken.err and broken.out == ""


def test_without_a_policy_nothing_is_logged_by_a_log_of_nobodys_choice(tmp_path, answer):
    logged(answer, tmp_path / "a.json")
    verdict = verify(tmp_path, check=0)
    assert verdict["policy"]["source"] == "builtIn" and level(verdict)["state"] != "established"
    verify(tmp_path, "--require-level", "logged", check=2)


def test_quorum_none_says_what_it_is_worth(tmp_path, answer):
    (tmp_path / "policy").write_text(f"log {LOG.vkey}\nquorum none\n")
    logged(answer, tmp_path / "a.json", [])
    verdict = verify(tmp_path, "--policy", "policy", "--require-level", "logged", check=0)
    assert "worth nothing against its operator" in level(verdict)["reason"]
    assert "logged (without witnesses)" in run(tmp_path, "verify", "a.json", "--policy", "policy").out


def test_policy_show_and_check(tmp_path, answer):
    assert "nothing against the operator" in run(tmp_path, "policy", "show").out
    (tmp_path / "policy").write_text(TWO_OF_THREE)
    text = run(tmp_path, "policy", "show", "policy").out
    assert "2 of (w0, w1, w2)" in text and "needs 1 witness to lie with it" in text and "without 2 witnesses nothing is accepted" in text
    assert "with 2 witnesses down" in text
    shown = json.loads(run(tmp_path, "policy", "show", "policy", "--json").out)
    assert shown["witnessesForQuorum"] == 2 and shown["witnessesToSplit"] == 1 and shown["witnessesToBlock"] == 2 and len(shown["witnesses"]) == 3
    assert "a valid policy: 1 log, 3 witnesses" in run(tmp_path, "policy", "check", "policy").out
    (tmp_path / "bad").write_text(TWO_OF_THREE + "quorum w0\n")
    assert "line 7" in run(tmp_path, "policy", "check", "bad", check=1).err
    logged(answer, tmp_path / "a.json")
    assert "ACCEPTED" in run(tmp_path, "policy", "check", "policy", "a.json").out
    signed = json.loads((tmp_path / "a.json").read_bytes())["log"]
    (tmp_path / "proof").write_text(signed)
    (tmp_path / "checkpoint").write_text(signed.partition("\n\n")[2])
    for name in ("proof", "checkpoint"):
        assert "PASS quorum" in run(tmp_path, "policy", "check", "policy", name).out
    (tmp_path / "checkpoint").write_text("".join((tmp_path / "checkpoint").read_text().splitlines(True)[:5]))
    report = json.loads(run(tmp_path, "policy", "check", "policy", "checkpoint", "--json", check=1).out)
    assert not report["accepted"] and report["checks"][-1]["outcome"] == "FAIL"


def test_the_reference_accepts_our_proof(tmp_path, answer):
    """Reference/tlog_verify.py takes proof and entry as they stand in an evidence file."""
    import subprocess
    import sys

    logged(answer, tmp_path / "a.json")
    file = json.loads((tmp_path / "a.json").read_bytes())
    (tmp_path / "policy").write_text(TWO_OF_THREE)
    (tmp_path / "proof").write_text(file["log"])
    (tmp_path / "entry").write_bytes(canonical(file["receipt"]))
    command = [sys.executable, ROOT / "Reference" / "tlog_verify.py", "proof", "proof", "policy", "entry"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout == f"ok: {ORIGIN}, 3 entries\n"
    (tmp_path / "entry").write_bytes(canonical(file["receipt"]) + b"\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1


def test_keys_rotate_and_evidence_shows_the_chain(tmp_path):
    old = json.loads(run(tmp_path, "keys", "--json").out)["publicKey"]
    made = json.loads(run(tmp_path, "keys", "rotate", "--json").out)
    assert made["previousKey"] == old != made["publicKey"]
    state = tmp_path / ".local" / "state" / "evident"
    kept = [p for p in state.iterdir() if p.name.startswith("node.key")]
    assert len(kept) == 2 and all(p.stat().st_mode & 0o777 == 0o600 for p in kept)
    # A log takes the entry; its proof beside it goes into every evidence file from then on.
    entry = (state / "key-history" / "0001.entry.json").read_bytes()
    assert made["leafHash"] == sha(b"\0" + entry).hex()
    (state / "key-history" / "0001.tlog-proof").write_text(proof(entry, b"a", b"b", WITNESSES, int(time.time())))
    run(tmp_path, "run", "--evidence", "a.json", QUESTION)
    (tmp_path / "policy").write_text(TWO_OF_THREE)
    verdict = verify(tmp_path, "--policy", "policy", "--node-key", old, check=0)
    assert outcomes(verdict)["keyHistory"] == "PASS" and verdict["node"] == made["publicKey"]
    # The key that signs now is not revoked by accident; the old one is, by itself.
    run(tmp_path, "keys", "revoke", made["publicKey"], check=1)
    revoked = json.loads(run(tmp_path, "keys", "revoke", old, "--reason", "stolen", "--json").out)
    assert revoked["signer"] == old
    assert [i["logged"] for i in json.loads(run(tmp_path, "keys", "--json").out)["history"]] == [True, False]


def test_a_rotation_that_was_interrupted_goes_on(tmp_path):
    first = json.loads(run(tmp_path, "keys", "--json").out)["publicKey"]
    state = tmp_path / ".local" / "state" / "evident"
    made = json.loads(run(tmp_path, "keys", "rotate", "--json").out)
    # As if it had been stopped before the new key was put in place.
    (state / "node.key").rename(state / "node.key.next")
    next(p for p in state.iterdir() if len(p.name) > 20).rename(state / "node.key")
    again = json.loads(run(tmp_path, "keys", "rotate", "--json").out)
    assert again == made and again["previousKey"] == first
    assert len(list((state / "key-history").iterdir())) == 1


def test_a_served_log_has_the_keys_of_its_node(tmp_path):
    """Rotated, served, asked, verified under the policy of someone who only knows the old key."""
    old = json.loads(run(tmp_path, "keys", "--json").out)["publicKey"]
    new = json.loads(run(tmp_path, "keys", "rotate", "--json").out)["publicKey"]

    def history():
        return json.loads(run(tmp_path, "keys", "--json").out)["history"]

    def wait(condition):
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    server = Server(tmp_path)
    try:
        wait(lambda: all(item["logged"] for item in history()))
        body = {"model": "evident-tiny", "messages": [{"role": "user", "content": QUESTION}]}
        answer = httpx.post(server.url + "/v1/chat/completions", json=body, timeout=60).json()
        url = f"{server.url}/v1/receipts/{answer['id']}"
        wait(lambda: httpx.get(url).headers["evident-log"] == "logged")
        (tmp_path / "a.json").write_bytes(httpx.get(url).content)
        # A revocation that is made while the server runs gets into the log, too.
        run(tmp_path, "keys", "revoke", old, "--from", "2020-01-01T00:00:00Z")
        wait(lambda: all(item["logged"] for item in history()) and len(history()) == 2)
        wait(lambda: len(httpx.get(url).json()["keys"]) == 2)
        second = httpx.post(server.url + "/v1/chat/completions", json=body, timeout=60).json()
        url = f"{server.url}/v1/receipts/{second['id']}"
        wait(lambda: httpx.get(url).headers["evident-log"] == "logged")
        later = httpx.get(url).json()
        assert len(later["keys"]) == 2
    finally:
        assert server.stop() == 0
    promise = json.loads(base64.b64decode(later["receipt"]["payload"]))["predicate"]["promise"]
    (tmp_path / "policy").write_text(f"log {promise['log']}\nquorum none\n")
    verdict = verify(tmp_path, "--policy", "policy", "--node-key", old, "--require-level", "logged", check=0)
    assert verdict["node"] == new and outcomes(verdict)["keyHistory"] == "PASS"
    (tmp_path / "a.json").write_text(json.dumps(later))
    verdict = verify(tmp_path, "--policy", "policy", "--node-key", new, check=0)
    reason = next(c["reason"] for c in verdict["checks"] if c["check"] == "keyHistory")
    assert "is revoked from 2020-01-01T00:00:00Z on" in reason
