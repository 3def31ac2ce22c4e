"""Evidence as the product makes it: with its own log, two witnesses, a rotated and revoked key, and signed streams."""

import json
import subprocess
import time

import product

ORIGIN = "log.example.org/fresh"
CHAT = {"messages": [{"role": "user", "content": "What is Evident?"}], "temperature": 0.7, "nonce": "00ff"}


def evident(home, *arguments):
    done = subprocess.run(
        [product.BINARY, *arguments],
        env=product.environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def make(home):
    """{name: bytes} of evidence files and saved streams; writes the file `fresh` with the policy.

    The key is rotated before the log starts, and the old one revoked, so that the history is in every file."""
    old = json.loads(evident(home, "keys", "--json"))["publicKey"]
    files = {"run.json": product.run(home, "What is Evident?", ["--temperature", "0"])}
    evident(home, "keys", "rotate")
    evident(home, "keys", "revoke", old, "--from", "2020-01-01T00:00:00Z")
    vkey = evident(home, "log", "key", "--origin", ORIGIN)
    running = [
        product.Process(
            home / f"w{i}",
            "witness",
            "--folder",
            home / f"w{i}",
            "--name",
            f"w{i}.example.org",
            "--log",
            vkey,
            "--port",
            "0",
        )
        for i in range(2)
    ]
    try:
        lines = [f"witness w{i} {w.printed('witness NAME ([^ ]+)')} {w.address}" for i, w in enumerate(running)]
        (home / "fresh").write_text("\n".join([f"log {vkey}", *lines, "group g all w0 w1", "quorum g", ""]))
        running.append(server := product.Server(home, "--log-policy", str(home / "fresh"), "--log-origin", ORIGIN))
        wait_for(lambda: all(item["logged"] for item in json.loads(evident(home, "keys", "--json"))["history"]))
        chat, completions = "/v1/chat/completions", "/v1/completions"
        receipts = {
            "chat.json": server.post(chat, CHAT)[1],
            "stop.json": server.post(chat, {**CHAT, "stop": ["e", "is"]})[1],
            "completions.json": server.post(completions, {"prompt": "Evident is", "max_tokens": 9, "seed": 3})[1],
        }
        for name, path, body in ("chat", chat, CHAT), (
            "completions",
            completions,
            {"prompt": "Verifying an answer is", "max_tokens": 40},
        ):
            data, receipt = server.post(path, {**body, "stream": True}, **{"X-Evident-Stream": "signed; every=3"})
            files[f"{name}.stream"], receipts[f"{name}-streamed.json"] = data, receipt
        return {**files, **{name: server.logged(receipt) for name, receipt in receipts.items()}}
    finally:
        for process in reversed(running):
            process.stop()
