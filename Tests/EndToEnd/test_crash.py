"""kill -9 under load: what a client was given stays."""

import os
import random
import threading
import time

import httpx

from conftest import Server, run

ROUNDS = int(os.environ.get("EVIDENT_CRASH_ROUNDS", "50"))
SEED = int(os.environ.get("EVIDENT_SEED", str(random.randrange(1 << 32))))


def missing(server: Server, received: list) -> list:
    with httpx.Client() as client:
        return [r for r, _ in received if client.get(f"{server.url}/v1/receipts/{r}").status_code != 200]


def test_no_receipt_is_lost(tmp_path):
    print(f"EVIDENT_SEED={SEED}")
    rng = random.Random(SEED)
    received: list[tuple[str, bytes | None]] = []
    checked = 0
    for _ in range(ROUNDS):
        server = Server(tmp_path)
        assert not missing(server, received[checked:])
        checked = len(received)
        stop = threading.Event()

        def load(number: int):
            n = 0
            while not stop.is_set():
                n += 1
                body = {"model": "evident-tiny", "temperature": 0.9, "max_tokens": 12,
                        "messages": [{"role": "user", "content": f"question {number} {n}"}]}
                try:
                    answer = httpx.post(server.url + "/v1/chat/completions", json=body, timeout=30)
                    if answer.status_code == 200:
                        received.append((answer.json()["receipt"]["id"], None))
                except httpx.HTTPError:
                    return

        threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
        [t.start() for t in threads]
        # At a random moment between answers, and at a random moment within one.
        goal = len(received) + rng.randint(0, 8)
        deadline = time.monotonic() + 10
        while len(received) < goal and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.05))
        server.kill()
        stop.set()
        [t.join() for t in threads]
    assert len(received) > ROUNDS, "the load was too light to show anything"
    server = Server(tmp_path)
    try:
        assert not missing(server, received)
        for receipt, _ in received[-20:]:
            path = tmp_path / "after-crash.evidence.json"
            path.write_bytes(httpx.get(f"{server.url}/v1/receipts/{receipt}").content)
            run(tmp_path, "verify", str(path), check=0)
    finally:
        assert server.stop() == 0
    leftovers = [p for p in tmp_path.rglob("*.new")]
    assert not leftovers, leftovers
