"""What an operator relies on: bounded queue, graceful end, restarts."""

import signal
import threading
import time

import httpx
import pytest

from conftest import Server

LONG = {"model": "evident-tiny", "messages": [{"role": "user", "content": "Hello!"}], "temperature": 2, "seed": 1,
        "max_tokens": 900, "logit_bias": {"0": -100, "2": -100}}


def test_full_queue_answers_429(tmp_path):
    server = Server(tmp_path, "--max-queue", "1", "--threads", "1")
    try:
        seen: list[httpx.Response] = []

        def ask():
            seen.append(httpx.post(server.url + "/v1/chat/completions", json=LONG, timeout=120))

        threads = [threading.Thread(target=ask) for _ in range(64)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        codes = {r.status_code for r in seen}
        assert codes == {200, 429}, codes
        refused = next(r for r in seen if r.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["code"] == "queue_full"
    finally:
        assert server.stop() == 0


def test_shutdown_finishes_streams(tmp_path):
    server = Server(tmp_path)
    body = LONG | {"stream": True, "max_tokens": 400}
    with httpx.stream("POST", server.url + "/v1/chat/completions", json=body, timeout=60) as response:
        receipt = response.headers["x-receipt-id"]
        lines = response.iter_lines()
        for _ in range(4):
            next(lines)
        server.process.send_signal(signal.SIGTERM)
        rest = list(lines)
    assert rest[-1] == "" or "[DONE]" in rest[-1] or "[DONE]" in rest[-2], rest[-3:]
    assert any("finish_reason\":\"length" in line for line in rest)
    assert server.stop() == 0
    again = Server(tmp_path)
    try:
        assert httpx.get(f"{again.url}/v1/receipts/{receipt}").status_code == 200
    finally:
        assert again.stop() == 0


def test_port_in_use_is_one_clear_error(server, tmp_path):
    from conftest import run

    port = server.url.rsplit(":", 1)[1]
    done = run(tmp_path, "serve", "--port", port, check=None)
    assert done.returncode not in (0, -5, -6, -11)
    assert port in done.err and len(done.err.splitlines()) <= 4, done.err


def test_openings_expire(tmp_path):
    # Long enough to be fetched once on a machine that is busy.
    server = Server(tmp_path, "--retain", "5s")
    try:
        answer = httpx.post(server.url + "/v1/chat/completions", json=LONG | {"max_tokens": 4}, timeout=60).json()
        url = f"{server.url}/v1/receipts/{answer['receipt']['id']}"
        assert "opening" in httpx.get(url).json()
        deadline = time.monotonic() + 20
        while "opening" in httpx.get(url).json():
            assert time.monotonic() < deadline, "the opening outlived its time"
            time.sleep(0.2)
        assert "payload" in httpx.get(url).json()
    finally:
        assert server.stop() == 0
