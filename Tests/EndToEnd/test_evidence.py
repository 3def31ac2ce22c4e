"""Evidence: fetched with plain HTTP, verified offline by another process."""

import base64
import copy
import json
import time

import httpx
import pytest

from conftest import Server, run

MODEL = "evident-tiny"
QUESTION = [{"role": "user", "content": "How do I verify an answer?"}]


def fetch(server, receipt_id, only=False):
    response = httpx.get(f"{server.url}/v1/receipts/{receipt_id}" + ("?receipt=only" if only else ""))
    assert response.status_code == 200, response.text
    return response.content


def verify(home, path, *flags, check):
    done = run(home, "verify", str(path), "--json", *flags, check=check)
    return json.loads(done.out)


@pytest.mark.parametrize("options", [{"temperature": 0}, {"temperature": 0.9, "seed": 5}, {"temperature": 1.2, "max_tokens": 30}])
@pytest.mark.parametrize("stream", [False, True])
def test_answer_is_replayed_elsewhere(server, client, tmp_path, options, stream):
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION, stream=stream, **options)
    parsed = raw.parse()
    if stream:
        list(parsed)
    path = tmp_path / "answer.evidence.json"
    path.write_bytes(fetch(server, raw.headers["x-receipt-id"]))
    # A different home: another machine, another user, no server.
    verdict = verify(tmp_path, path, "--replay", check=0)
    assert verdict["verdict"] == "verified" if "verdict" in verdict else True


def test_response_id_finds_the_receipt_too(server, client):
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    assert fetch(server, answer.id) == fetch(server, answer.receipt["id"])


def test_a_receipt_alone_reveals_neither_prompt_nor_answer(server, client):
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    receipt = fetch(server, answer.receipt["id"], only=True)
    payload = base64.b64decode(json.loads(receipt)["payload"]).decode()
    for text in (QUESTION[0]["content"], answer.choices[0].message.content):
        assert text not in receipt.decode() and text not in payload


def test_tampered_answer_is_refuted(server, client, tmp_path):
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    evidence = fetch(server, answer.receipt["id"]).decode()
    text = answer.choices[0].message.content
    assert text in evidence
    path = tmp_path / "tampered.evidence.json"
    path.write_text(evidence.replace(text, text + "!"))
    verify(tmp_path, path, check=1)


def test_cut_stream_leaves_evidence(server, tmp_path):
    body = {"model": MODEL, "messages": QUESTION, "stream": True, "temperature": 1.9, "max_tokens": 800}
    with httpx.stream("POST", server.url + "/v1/chat/completions", json=body, timeout=60) as response:
        receipt = response.headers["x-receipt-id"]
        for i, _ in enumerate(response.iter_lines()):
            if i >= 6:
                break
    deadline = time.monotonic() + 10
    while httpx.get(f"{server.url}/v1/receipts/{receipt}").status_code != 200:
        assert time.monotonic() < deadline, "no receipt for the cut stream"
        time.sleep(0.05)
    path = tmp_path / "cut.evidence.json"
    path.write_bytes(fetch(server, receipt))
    verify(tmp_path, path, "--replay", check=0)


def test_retention_zero_keeps_no_opening(tmp_path):
    server = Server(tmp_path, "--retain", "0")
    try:
        answer = server.client().chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
        kept = fetch(server, answer.receipt["id"])
        assert answer.choices[0].message.content not in kept.decode()
        assert "payload" in json.loads(kept)
    finally:
        assert server.stop() == 0
    assert answer.choices[0].message.content.encode() not in b"".join(p.read_bytes() for p in tmp_path.rglob("*.sqlite*"))


def test_unknown_receipt(server):
    response = httpx.get(server.url + "/v1/receipts/none")
    assert response.status_code == 404 and response.json()["error"]["code"] == "receipt_not_found"


def test_node_key_is_private(server):
    keys = list(server.home.rglob("node.key"))
    assert len(keys) == 1 and keys[0].stat().st_mode & 0o777 == 0o600
