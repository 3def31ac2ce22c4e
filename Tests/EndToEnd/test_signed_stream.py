"""Streams with signed checkpoints: checked here from docs/spec/evidence.md alone, cut or whole."""

import base64
import hashlib
import json
import struct

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from conftest import run

BODY = {
    "model": "evident-tiny", "messages": [{"role": "user", "content": "What is Evident?"}], "stream": True,
    "temperature": 0,
}


def tagged(tag, *parts):
    return hashlib.sha256(tag.encode() + b"\0" + b"".join(struct.pack(">Q", len(p)) + p for p in parts)).digest()


def check(events):
    """The tokens and bytes of text that the node signed."""
    text, link, key, count, signed = b"", None, None, 0, 0
    for event in events:
        choice = event["choices"][0]
        text += (choice["delta"].get("content") or "").encode()
        if (point := event.get("evident")) is None:
            continue
        if link is None:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(point["publicKey"]))
            link = tagged("evident.stream.start.v1", bytes.fromhex(point["start"]), point["receiptId"].encode())
        for token in point["tokens"]:
            link = tagged("evident.stream.link.v1", link, struct.pack("<I", token))
        count += len(point["tokens"])
        digest = hashlib.sha256(text).digest()
        assert count == point["deliveredTokens"] and point["head"] == "sha256:" + link.hex()
        assert point["text"] == "sha256:" + digest.hex()
        message = tagged(
            "evident.stream.checkpoint.v1", point["receiptId"].encode(), struct.pack(">Q", count), link, digest)
        key.verify(base64.b64decode(point["signature"]), message)
        signed = len(text)
    return count, signed, len(text), "sha256:" + link.hex() if link else None


def stream(server, header, lines_max=None, **body):
    """The bytes of a stream, cut after so many lines."""
    kept, headers = b"", {"X-Evident-Stream": header} if header else {}
    with httpx.stream("POST", server.url + "/v1/chat/completions", json=BODY | body, headers=headers, timeout=60) as r:
        assert r.status_code == 200, r.read()
        for i, line in enumerate(r.iter_lines()):
            if lines_max is not None and i >= lines_max:
                break
            kept += line.encode() + b"\n"
    return kept, r.headers


def events(data):
    return [json.loads(e[6:]) for e in data.decode().split("\n\n") if e.startswith("data: {")]


def test_a_whole_stream(server, home, tmp_path):
    data, headers = stream(server, "signed; every=4")
    assert headers["x-evident-stream"] == "signed; every=4"
    found = events(data)
    count, signed, total, head = check(found)
    assert signed == total > 100 and sum("evident" in e for e in found) >= 8
    # The head of the whole stream is the one in the receipt.
    receipt = httpx.get(f"{server.url}/v1/receipts/{headers['x-receipt-id']}").json()["receipt"]
    statement = json.loads(base64.b64decode(receipt["payload"]))["predicate"]
    assert statement["stream"] == {"deliveredTokens": count, "head": head}
    path = tmp_path / "stream.txt"
    path.write_bytes(data)
    verdict = json.loads(run(home, "verify", "--stream", str(path), "--json").out)
    assert verdict["verdict"] == "verified" and verdict["isComplete"] and verdict["signedBytes"] == total
    run(home, "verify", "--stream", str(path), "--key", statement["node"]["publicKey"])
    run(home, "verify", "--stream", str(path), "--key", "ab" * 32, check=1)


def test_a_cut_stream(server, home, tmp_path):
    data, _ = stream(server, "signed", lines_max=61, max_tokens=400, temperature=1.9, seed=1)
    found = events(data)
    count, signed, total, _ = check(found)
    assert 16 <= count < 400 and 0 < signed <= total and "evident" not in found[-1]
    path = tmp_path / "cut.txt"
    path.write_bytes(data)
    text = run(home, "verify", "--stream", str(path)).out
    assert "stream   cut" in text and f"the first {count} tokens, {signed} bytes" in text
    # Another text is not what the node signed.
    piece = next(e["choices"][0]["delta"]["content"] for e in found if e["choices"][0]["delta"].get("content"))
    path.write_bytes(data.replace(f'"content":{json.dumps(piece)}'.encode(), b'"content":"Other"', 1))
    assert path.read_bytes() != data
    assert "bytes of text" in run(home, "verify", "--stream", str(path), check=1).out


def test_plain_clients_see_nothing(server, client):
    data, headers = stream(server, None)
    assert b"evident\":{" not in data and "x-evident-stream" not in headers
    # The same text, and the OpenAI client reads both.
    signed, _ = stream(server, "signed")

    def text(data):
        return "".join(e["choices"][0]["delta"].get("content") or "" for e in events(data))

    assert text(data) == text(signed)
    chunks = client.chat.completions.create(**BODY, extra_headers={"X-Evident-Stream": "signed"})
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == text(data)


@pytest.mark.parametrize("value", ["", "Signed", "yes", "signed;", "signed; every=0", "signed; every=4097", "signed; every=+4", "signed; every=4; x=1", "signed; n=4"])
def test_a_wrong_header_is_named(server, value):
    answer = httpx.post(server.url + "/v1/chat/completions", json=BODY, headers={"X-Evident-Stream": value})
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "X-Evident-Stream"
    assert f"'{value}'" in answer.json()["error"]["message"]


def test_the_header_is_for_streams(server):
    answer = httpx.post(
        server.url + "/v1/chat/completions", json=BODY | {"stream": False}, headers={"X-Evident-Stream": "signed"})
    assert answer.status_code == 400 and "stream" in answer.json()["error"]["message"]


def test_completions_too(server):
    body = {"model": "evident-tiny", "prompt": "Evident is", "stream": True, "max_tokens": 40}
    answer = httpx.post(server.url + "/v1/completions", json=body, headers={"X-Evident-Stream": "signed; every=2"})
    found = [e | {"choices": [{"delta": {"content": e["choices"][0]["text"]}}]} for e in events(answer.content)]
    count, signed, total, _ = check(found)
    assert signed == total and count > 2


def test_run_says_that_it_checks(tmp_path):
    done = run(tmp_path, "run", "What is Evident?")
    assert "tokens checked as they came" in done.err
    answer = json.loads(run(tmp_path, "run", "--json", "What is Evident?").out)
    assert answer["streamTokens"] == answer["outputTokens"] and answer["streamCheckpoints"] >= 2


def test_run_saves_a_stream(tmp_path):
    run(tmp_path, "run", "--stream-file", "s.txt", "--evidence", "a.json", "What is Evident?")
    data = (tmp_path / "s.txt").read_bytes()
    count, signed, total, head = check(events(data))
    evidence = json.loads((tmp_path / "a.json").read_bytes())
    statement = json.loads(base64.b64decode(evidence["receipt"]["payload"]))["predicate"]
    assert statement["stream"] == {"deliveredTokens": count, "head": head} and signed == total
    assert "stream   whole" in run(tmp_path, "verify", "--stream", "s.txt", "--key", statement["node"]["publicKey"]).out
    (tmp_path / "cut.txt").write_bytes(data[:len(data) // 2])
    assert "stream   cut, 1 checkpoint holds" in run(tmp_path, "verify", "--stream", "cut.txt").out
    # Another answer begins the file anew.
    run(tmp_path, "run", "--stream-file", "s.txt", "Hello!")
    assert len(events((tmp_path / "s.txt").read_bytes())) < len(events(data))
    missing = run(tmp_path, "run", "--stream-file", "none/s.txt", "Hello!", check=1)
    assert "none/s.txt cannot be written" in missing.err and "hint: " in missing.err and not missing.out


def test_a_stream_that_run_did_not_finish(tmp_path):
    """Killed in the middle, what had come by then can be checked."""
    import subprocess
    import time

    from conftest import BINARY, environment

    path = tmp_path / "s.txt"
    running = subprocess.Popen(
        [str(BINARY), "run", "--stream-file", str(path), "--temperature", "2", "--seed", "1", "--max-tokens", "900", "Hi"],
        env=environment(tmp_path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (path.exists() and b'"evident":{' in path.read_bytes()):
        assert time.monotonic() < deadline and running.poll() is None
    running.kill()
    running.wait()
    assert "signed the first" in run(tmp_path, "verify", "--stream", str(path)).out


def test_nothing_that_is_asked_for_is_passed_over(server, home, tmp_path):
    """Of a stream only the key is checked; a script that asks for more must not be told that all is well."""
    path = tmp_path / "s.txt"
    path.write_bytes(stream(server, "signed")[0])
    for flags in (["--require-level", "logged"], ["--replay"], ["--log", server.url + "/log"], ["--policy", "p"],
                  ["--model", "sha256:" + "0" * 64], ["--nonce", "00"], ["--receipt-only"]):
        done = run(home, "verify", "--stream", str(path), *flags, check=64)
        assert flags[0] in done.err and "VERIFIED" not in done.out
    # Without --stream it is no evidence, and the way on is named.
    assert "--stream" in run(home, "verify", str(path), check=1).err
    path.write_bytes(stream(server, None)[0])
    assert "X-Evident-Stream: signed" in run(home, "verify", "--stream", str(path), check=2).out


def test_a_tokenizer_that_holds_back_a_word(tmp_path):
    """Each token's text comes with the next one: a checkpoint names the tokens before it."""
    from conftest import Server
    from model_files import llama, write

    files = llama(1)
    tokenizer = json.loads(files["tokenizer.json"])
    tokenizer["decoder"] = {"type": "BPEDecoder", "suffix": "e"}
    write(files | {"tokenizer.json": json.dumps(tokenizer).encode()}, tmp_path / "m")
    run(tmp_path, "import", "m", "--name", "m")
    server = Server(tmp_path, "m")
    try:
        body = {"model": "m", "prompt": "the", "stream": True, "max_tokens": 60, "temperature": 1, "seed": 1,
                "logit_bias": {"0": -100, "1": -100, "2": -100}}
        answer = httpx.post(
            server.url + "/v1/completions", json=body, headers={"X-Evident-Stream": "signed; every=4"}, timeout=60)
    finally:
        assert server.stop() == 0
    found = [e | {"choices": [{"delta": {"content": e["choices"][0]["text"]}}]} for e in events(answer.content)]
    points = [e["evident"]["deliveredTokens"] for e in found if "evident" in e]
    assert len(points) >= 10 and points[:3] == [4, 8, 12] and points[-1] == 60, points
    count, signed, total, _ = check(found)
    assert count == 60 and signed == total
    # Cut after the third: 12 tokens are signed, whose text is all there.
    cut = next(i for i, e in enumerate(found) if e.get("evident", {}).get("deliveredTokens") == 12)
    assert check(found[:cut + 1])[0] == 12
