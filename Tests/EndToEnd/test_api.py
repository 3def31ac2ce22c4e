"""The OpenAI client and raw HTTP against the running server."""

import json
import threading
import time

import httpx
import openai
import pytest

MODEL = "evident-tiny"
QUESTION = [{"role": "user", "content": "What is Evident?"}]


def events(text: str) -> list:
    lines = [line[len("data: "):] for line in text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_models(client):
    models = client.models.list().data
    assert [m.id for m in models] == [MODEL]
    assert client.models.retrieve(MODEL).digest.startswith("sha256:")
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve("nothing")
    assert error.value.code == "model_not_found"


def test_answer_with_receipt(client):
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION, temperature=0)
    answer = raw.parse()
    assert "evident" in answer.choices[0].message.content.lower()
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert raw.headers["x-receipt-id"] == answer.receipt["id"]
    assert raw.headers["x-request-id"]


def test_stream_order(server):
    body = {"model": MODEL, "messages": QUESTION, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
    with httpx.stream("POST", server.url + "/v1/chat/completions", json=body, timeout=60) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        receipt = response.headers["x-receipt-id"]
        chunks = events(response.read().decode())
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert len({c["id"] for c in chunks}) == 1 and len({c["created"] for c in chunks}) == 1
    *content, finish, usage = chunks[1:]
    assert all(c["choices"][0]["delta"]["content"] and c["choices"][0]["finish_reason"] is None for c in content)
    assert finish["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert finish["receipt"]["id"] == receipt
    assert usage["choices"] == [] and usage["usage"]["completion_tokens"] > 0
    assert all(c["usage"] is None for c in chunks[:-1])


def test_stream_and_whole_answer_agree(client):
    stream = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stream=True)
    text = "".join(c.choices[0].delta.content or "" for c in stream)
    whole = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    assert text == whole.choices[0].message.content


def test_stream_has_no_usage_unless_asked(client):
    chunks = list(client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stream=True))
    assert all("usage" not in c.model_fields_set or c.usage is None for c in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].receipt["id"]


def test_seed_and_nonce_fix_the_answer(client):
    def ask(**options):
        extra = options.pop("extra", {})
        return client.chat.completions.create(
            model=MODEL, messages=QUESTION, temperature=2, max_tokens=40, extra_body=extra, **options
        ).choices[0].message.content

    assert ask(seed=7) == ask(seed=7)
    assert ask(extra={"nonce": "00ff"}) == ask(extra={"nonce": "00ff"})
    assert len({ask(seed=n) for n in range(8)}) > 1
    # Without either the node chooses, and chooses anew each time.
    assert len({ask() for _ in range(8)}) > 1


def test_completions(client):
    answer = client.completions.create(model=MODEL, prompt="Evident is", max_tokens=8, temperature=0)
    assert answer.object == "text_completion" and answer.choices[0].text
    stream = client.completions.create(model=MODEL, prompt="Evident is", max_tokens=8, temperature=0, stream=True)
    assert "".join(c.choices[0].text for c in stream) == answer.choices[0].text


def test_stop_string_and_length(client):
    whole = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0).choices[0].message.content
    stop = whole[5:9]
    cut = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stop=stop)
    assert cut.choices[0].message.content == whole[: whole.index(stop)]
    assert cut.choices[0].finish_reason == "stop"
    short = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, max_completion_tokens=3)
    assert short.choices[0].finish_reason == "length" and short.usage.completion_tokens == 3


def test_content_parts_and_developer_role(client):
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "Evident?"}]}]
    a = client.chat.completions.create(model=MODEL, messages=parts, temperature=0)
    b = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    assert a.choices[0].message.content == b.choices[0].message.content


@pytest.mark.parametrize(
    "extra, param",
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"mirostat": 2}, "mirostat"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stop": 5}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"seed": 1.25}, "seed"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"1": 1000}}, "logit_bias"),
        ({"nonce": "XYZ"}, "nonce"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type"),
        ({"model": None}, "model"),
    ],
)
def test_refused_by_name(server, extra, param):
    body = {"model": MODEL, "messages": QUESTION} | extra
    response = httpx.post(server.url + "/v1/chat/completions", json=body, timeout=60)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] is not None and error["param"].startswith(param), error


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'"x"', b'{"model":"evident-tiny","model":"x"}', b"\xff\xfe", b'{"model":"\xc3\x28"}',
        b"[" * 100_000, b'{"messages":' * 5_000, b'{"model": 1}', b"{} trailing",
    ],
)
def test_malformed_bodies(server, content):
    response = httpx.post(server.url + "/v1/chat/completions", content=content, timeout=60)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_huge_body_is_refused_without_being_kept(server):
    pid = server.process.pid
    before = resident_kib(pid)
    for _ in range(3):
        try:
            response = httpx.post(server.url + "/v1/chat/completions", content=b"x" * 100_000_000, timeout=60)
            assert response.status_code == 413
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            pass  # The server answered and closed before the client had sent everything.
    assert resident_kib(pid) < before + 64 * 1024
    assert httpx.get(server.url + "/health").json()["status"] == "ok"


def resident_kib(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_prompt_over_the_context(server):
    body = {"model": MODEL, "messages": [{"role": "user", "content": "word " * 20_000}]}
    response = httpx.post(server.url + "/v1/chat/completions", json=body, timeout=60)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


def test_unknown_paths_and_models(server, client):
    response = httpx.get(server.url + "/v1/nothing")
    assert response.status_code == 404 and set(response.json()["error"]) == {"message", "type", "param", "code"}
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="gpt-4", messages=QUESTION)
    assert error.value.param == "model"


def test_health_and_metrics(server):
    assert httpx.get(server.url + "/health").status_code == 200
    text = httpx.get(server.url + "/metrics").text
    assert "# TYPE evident_output_tokens_total counter" in text
    assert any(line.startswith("evident_output_tokens_total ") and int(line.split()[1]) > 0 for line in text.splitlines())


def test_concurrent_answers_equal_lone_ones(client):
    questions = ["What is Evident?", "Hello!", "What does a SKIP mean?", "Who are you?", "What is a receipt?", "Thanks!"]

    def ask(q):
        return client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": q}], temperature=0.8, seed=11, max_tokens=60
        ).choices[0].message.content

    alone = [ask(q) for q in questions]
    together = [None] * len(questions) * 3

    def work(i):
        together[i] = ask(questions[i % len(questions)])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(together))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert together == alone * 3


def test_logs_never_hold_prompts(server, client):
    secret = "zanzibar-quokka-77"
    client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": secret}], max_tokens=5)
    time.sleep(0.1)
    assert secret not in (server.home / "server.log").read_text()
