"""Work that answers share: seen in usage and metrics, never in answers or statements."""

import base64
import json

import httpx
import pytest

from conftest import Server

MODEL = "evident-tiny"
SYSTEM = {"role": "system", "content": "You answer questions about Evident. Be brief, and stay with what is known. " * 6}
QUESTIONS = ["What is Evident?", "What is a receipt?", "What is Evident?"]


def ask(server: Server, question: str, **extra) -> dict:
    body = {"model": MODEL, "messages": [SYSTEM, {"role": "user", "content": question}], "temperature": 0.7, "seed": 3}
    return httpx.post(server.url + "/v1/chat/completions", json=body | extra, timeout=60).json()


def metric(server: Server, name: str) -> int:
    lines = httpx.get(server.url + "/metrics").text.splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + " "))


def claims(server: Server, answer: dict) -> dict:
    """The statement and the opening without ids, time, key, promise, signature and what a random salt goes into."""
    evidence = httpx.get(f"{server.url}/v1/receipts/{answer['receipt']['id']}").json()
    statement = json.loads(base64.b64decode(evidence["receipt"]["payload"]))
    predicate = statement["predicate"]
    for path in ("receiptId", "responseId", "time", "node", "promise", "input.tokenCommitment", "input.promptCommitment",
                 "output.tokenCommitment", "output.textCommitment", "stream.head"):
        *outer, last = path.split(".")
        del (predicate[outer[0]] if outer else predicate)[last]
    opening = evidence["opening"]
    del opening["salt"]
    return {"predicate": predicate, "opening": opening}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    homes = [tmp_path_factory.mktemp(name) for name in ("sharing", "plain")]
    servers = [Server(homes[0]), Server(homes[1], "--prefix-cache", "0")]
    yield servers
    assert [s.stop() for s in servers] == [0, 0]


def test_a_common_prefix_is_counted_and_changes_nothing(servers):
    sharing, plain = servers
    cached = []
    for question in QUESTIONS:
        shared, alone = ask(sharing, question), ask(plain, question)
        assert shared["choices"] == alone["choices"]
        assert claims(sharing, shared) == claims(plain, alone)
        assert "cached" not in json.dumps(claims(sharing, shared))
        assert alone["usage"]["prompt_tokens_details"] == {"cached_tokens": 0}
        cached.append(shared["usage"]["prompt_tokens_details"]["cached_tokens"])
        assert cached[-1] < shared["usage"]["prompt_tokens"]
    # Whole pages of 64 tokens.
    assert cached[0] == 0 and cached[1] >= 64 and cached[2] >= cached[1] and all(n % 64 == 0 for n in cached)
    assert metric(sharing, "evident_prefix_tokens_reused_total") == sum(cached)
    assert metric(sharing, "evident_prefix_bytes") > 0
    assert metric(plain, "evident_prefix_tokens_reused_total") == metric(plain, "evident_prefix_bytes") == 0


def test_streamed_usage_has_the_same_details(servers):
    options = {"include_usage": True}
    body = {"model": MODEL, "messages": [SYSTEM], "temperature": 0, "stream": True, "stream_options": options}
    for _ in range(2):
        text = httpx.post(servers[0].url + "/v1/chat/completions", json=body, timeout=60).text
        usage = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")][-1]["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] >= 64
