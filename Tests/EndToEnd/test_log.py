"""The public log: beside a node, on its own, and with witnesses. Everything here is the real binary."""

import base64
import gzip
import hashlib
import http.client
import itertools
import json
import os
import random
import re
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from conftest import BINARY, Server, environment, run
from log_files import Key, LogFiles, Node, entries

KILLS = int(os.environ.get("EVIDENT_KILLS", "10"))
SEED = int(os.environ.get("EVIDENT_SEED", str(random.randrange(1 << 32))))
BODY = {"model": "evident-tiny", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello!"}]}


class Process:
    """`evident` with some arguments, until it prints where it listens."""

    def __init__(self, home: Path, *arguments: str, files: int | None = None, preexec_fn=None,
                 host: str = r"127\.0\.0\.1", **extra: str):
        home.mkdir(exist_ok=True)
        self.errors = open(home / "errors.log", "ab")
        limit = ["prlimit", f"--nofile={files}"] if files else []
        self.process = subprocess.Popen(
            [*limit, str(BINARY), *arguments], env=environment(home, **extra), cwd=home, stdout=subprocess.PIPE,
            stderr=self.errors, stdin=subprocess.DEVNULL, preexec_fn=preexec_fn)
        self.out = ""
        while not (match := re.search(rf"http://{host}:\d+", self.out)):
            line = self.process.stdout.readline().decode()
            assert line, f"{arguments} did not start: {self.out}\n{(home / 'errors.log').read_text()}"
            self.out += line
        self.url = match.group(0)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        self.out += self.process.stdout.read().decode()
        return self.process.wait(60)


def eventually(what: str, condition, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return result


def ask(url: str) -> str:
    return httpx.post(url + "/v1/chat/completions", json=BODY, timeout=60).json()["receipt"]["id"]


def logged(url: str, receipt: str) -> dict:
    def fetch():
        answer = httpx.get(f"{url}/v1/receipts/{receipt}")
        return answer if answer.headers["evident-log"] == "logged" else None

    return eventually(f"{receipt} is not logged", fetch).json()


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def root(index: int, size: int, node: bytes, hashes: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2."""
    last = size - 1
    for sibling in hashes:
        assert last > 0
        if index & 1 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return node


def check(proof: str, entry: bytes) -> tuple[int, int]:
    """Index and size, if the tlog-proof fits the entry; signatures are for others to check."""
    head, checkpoint = proof.split("\n\n", 1)
    first, index, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    origin, size, digest = checkpoint.split("\n")[:3]
    found = root(int(index.removeprefix("index ")), int(size), leaf(entry), [base64.b64decode(h) for h in hashes])
    assert base64.b64encode(found).decode() == digest
    return int(index.removeprefix("index ")), int(size)


def test_receipts_upgrade_to_logged(server):
    receipts = [ask(server.url) for _ in range(3)]
    for receipt in receipts:
        evidence = logged(server.url, receipt)
        envelope = httpx.get(f"{server.url}/v1/receipts/{receipt}?receipt=only").content
        index, size = check(evidence["log"], envelope)
        assert index < size
        statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
        promise = statement["predicate"]["promise"]
        assert promise["log"].startswith("evident.local/log/") and promise["loggedBy"] > statement["predicate"]["time"]
        # The same over HTTP, and the entry in its bundle.
        assert httpx.get(f"{server.url}/log/proof/{leaf(envelope).hex()}").text.split("\n")[1] == f"index {index}"
        again = httpx.post(f"{server.url}/log/entries", content=envelope)
        assert again.status_code == 200 and again.json() == {"index": index, "duplicate": True}


def test_what_readers_get(server):
    logged(server.url, ask(server.url))
    log = server.url + "/log"
    plain = httpx.get(log + "/checkpoint", headers={"accept-encoding": "identity"})
    assert plain.headers["content-type"] == "text/plain; charset=utf-8" and plain.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in plain.headers
    size = int(plain.text.split("\n")[1])
    same = httpx.get(log + "/checkpoint", headers={"if-none-match": plain.headers["etag"], "accept-encoding": "identity"})
    assert same.status_code == 304 and not same.content
    tag = plain.headers["etag"]
    for named, status in [
        (f"W/{tag}", 304), (f'"a", {tag}', 304), (f'W/"a,b" ,W/{tag},"c"', 304), ("*", 304), ('"*"', 200),
        ('"a"', 200), (tag[:-1], 200), (tag.strip('"'), 200), (f"w/{tag}", 200), ("", 200)]:
        answer = httpx.get(log + "/checkpoint", headers={"if-none-match": named, "accept-encoding": "identity"})
        assert answer.status_code == status and answer.headers["etag"] == tag, named
    head = httpx.head(log + "/checkpoint", headers={"accept-encoding": "identity"})
    assert head.status_code == 200 and not head.content and head.headers["content-length"] == str(len(plain.content))
    short = httpx.get(log + "/checkpoint", headers={"accept-encoding": "gzip"})
    assert short.headers["content-encoding"] == "gzip" and short.text == plain.text
    assert short.headers["etag"] != plain.headers["etag"]

    path = f"/tile/0/000.p/{size}" if size < 256 else "/tile/0/000"
    tile = httpx.get(log + path)
    assert len(tile.content) == 32 * min(size, 256) and "content-encoding" not in tile.headers
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.headers["content-type"] == "application/octet-stream"
    bundle = httpx.get(log + path.replace("tile/0", "tile/entries"), headers={"accept-encoding": "gzip"})
    assert bundle.headers["content-encoding"] == "gzip" and bundle.headers["vary"] == "Accept-Encoding"
    entries, at = [], 0
    while at < len(bundle.content):
        length = int.from_bytes(bundle.content[at:at + 2], "big")
        entries.append(bundle.content[at + 2:at + 2 + length])
        at += 2 + length
    assert b"".join(leaf(entry) for entry in entries) == tile.content
    whole = httpx.head(log + path.replace("tile/0", "tile/entries"), headers={"accept-encoding": "identity"})
    assert whole.headers["content-length"] == str(len(bundle.content))
    assert "evident_log_published_entries" in httpx.get(server.url + "/metrics").text
    health = httpx.get(server.url + "/health").json()
    assert health["taking"] == health["publishing"] == health["status"] == "ok"
    assert health["log"].startswith("evident.local/log/") and health["receipts"]["overdue"] == 0


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "checkpoint", "GET, HEAD"), ("POST", "checkpoint", "GET, HEAD"), ("PUT", "tile/0/000", "GET, HEAD"),
    ("PATCH", "proof/" + "0" * 64, "GET, HEAD"), ("GET", "entries", "POST"), ("HEAD", "entries", "POST")])
def test_methods_that_a_path_does_not_take(server, method, path, allowed):
    answer = httpx.request(method, f"{server.url}/log/{path}")
    assert answer.status_code == 405 and answer.headers["allow"] == allowed
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert method == "HEAD" or answer.text.count("\n") == 1 and allowed in answer.text


@pytest.mark.parametrize("path", [
    ".latest", ".pending", ".index.sqlite", "tile/.new-000", "tile/0/999", "tile/64/000", "tile/0/000.p/0",
    "tile/0/000.p/256", "tile/0/../.latest", "tile/0/%2e%2e/.latest", "tile/entries/x000/000", "proof/" + "0" * 64])
def test_what_is_not_there(server, path):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.request("GET", "/log/" + path)
    answer = connection.getresponse()
    assert answer.status == 404 and answer.read().count(b"\n") == 1


def test_what_is_not_taken(server, tmp_path):
    envelope = httpx.get(f"{server.url}/v1/receipts/{ask(server.url)}?receipt=only").content
    log = server.url + "/log/entries"
    assert httpx.post(log, content=b"").status_code == 400
    assert httpx.post(log, content=b"{}").status_code == 400
    refused = httpx.post(log, content=envelope + b"\n")
    assert refused.status_code == 400 and "canonical" in refused.text and refused.text.count("\n") == 1
    forged = json.loads(envelope)
    forged["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    refused = httpx.post(log, content=json.dumps(forged, separators=(",", ":"), sort_keys=True).encode())
    assert refused.status_code == 400 and "signature" in refused.text
    assert httpx.post(log, content=b"x" * 65_536).status_code == 413
    # The log of a node takes that node's statements only.
    other = Server(tmp_path)
    try:
        stranger = httpx.get(f"{other.url}/v1/receipts/{ask(other.url)}?receipt=only").content
        assert httpx.post(log, content=stranger).status_code == 403
    finally:
        assert other.stop() == 0
    assert httpx.get(server.url + "/log/proof/abc").status_code == 400


def test_no_log(tmp_path):
    server = Server(tmp_path, "--no-log")
    try:
        answer = httpx.get(f"{server.url}/v1/receipts/{ask(server.url)}")
        assert answer.headers["evident-log"] == "none" and answer.json()["log"] is None
        assert httpx.get(server.url + "/log/checkpoint").status_code == 404
    finally:
        assert server.stop() == 0
    assert not (tmp_path / ".local/state/evident/log.key").exists()


def test_a_log_that_is_away_gets_its_receipts_later(tmp_path):
    """The log is away and the server dies: what was promised is logged when both are back."""
    home, state = tmp_path / "log", tmp_path / "node"
    home.mkdir()
    state.mkdir()
    vkey = run(home, "log", "key", "--origin", "log.example/away").out.strip()
    assert vkey.startswith("log.example/away+") and (home / ".local/state/evident/log.key").stat().st_mode & 0o777 == 0o600
    log = Process(home, "log", "serve", "--listen", "127.0.0.1:0")
    assert log.process.stdout.readline().decode() == f"Log key {vkey}\n"
    port = log.url.rsplit(":", 1)[1]
    log.kill()

    arguments = ("--log-url", f"http://127.0.0.1:{port}", "--log-vkey", vkey)
    server = Server(state, *arguments)
    receipts = [ask(server.url) for _ in range(3)]
    answer = httpx.get(f"{server.url}/v1/receipts/{receipts[0]}")
    assert re.fullmatch(r'pending; reason="[ -~]+"', answer.headers["evident-log"]) and answer.json()["log"] is None
    server.kill()

    log = Process(home, "log", "serve", "--listen", f"127.0.0.1:{port}")
    server = Server(state, *arguments)
    try:
        for receipt in receipts:
            path = tmp_path / "logged.evidence.json"
            path.write_text(json.dumps(logged(server.url, receipt)))
            run(tmp_path, "verify", str(path))
        assert httpx.get(log.url + "/checkpoint").text.split("\n")[:2] == ["log.example/away", "3"]
    finally:
        assert server.stop() == 0
        assert log.stop() == 0


def test_admission_list_and_rate(server, tmp_path):
    receipts = [ask(server.url) for _ in range(4)]
    envelopes = [httpx.get(f"{server.url}/v1/receipts/{r}?receipt=only").content for r in receipts]
    key = run(server.home, "keys", "--json").out
    (tmp_path / "nodes").write_text(f"# ours\n{json.loads(key)['publicKey']}\n{Node(5).public.hex()}\n")
    log = Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", "--admit", str(tmp_path / "nodes"), "--rate", "2")
    try:
        answers = [httpx.post(log.url + "/entries", content=e) for e in envelopes]
        assert answers[0].json() == {"index": 0, "duplicate": False}
        # Each answer waits for its batch, so that the rate may have recovered; all at once it has not. New ones: what is
        # in the log counts against nobody.
        with httpx.Client() as client:
            from concurrent.futures import ThreadPoolExecutor
            with ThreadPoolExecutor(8) as pool:
                codes = list(pool.map(lambda e: client.post(log.url + "/entries", content=e), map(Node(5).entry, range(12))))
        limited = [a for a in codes if a.status_code == 429]
        assert limited and all(int(a.headers["retry-after"]) >= 1 for a in limited)
        assert {a.status_code for a in codes} <= {200, 429}
    finally:
        assert log.stop() == 0
    (tmp_path / "nodes").write_text("0" * 63 + "1\n")
    log = Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", "--admit", str(tmp_path / "nodes"))
    try:
        assert httpx.post(log.url + "/entries", content=envelopes[0]).status_code == 403
    finally:
        assert log.stop() == 0


def test_errors_are_one_line_each(tmp_path):
    for arguments, wanted in [
        (("--admit", "missing"), "missing"), (("--policy", "missing"), "missing"), (("--listen", "nowhere"), "--listen"),
        (("--rate", "-1"), "--rate"), (("--origin", "a b"), "origin"),
    ]:
        done = run(tmp_path, "log", "serve", *arguments, check=None)
        assert done.returncode not in (0, -5, -6) and wanted in done.err, done.err
    log = Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0")
    try:
        done = run(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", check=None)
        assert "another process has it open" in done.err
    finally:
        assert log.stop() == 0
    done = run(tmp_path, "log", "serve", "--origin", "other.example/log", check=None)
    assert "other.example/log" in done.err


def test_three_witnesses_of_which_two_are_enough(tmp_path):
    """All there; one down: still logged; two down: pending, and it says so; back: logged."""
    home = tmp_path / "log"
    home.mkdir()
    vkey = run(home, "log", "key", "--origin", "log.example/witnessed").out.strip()
    homes = [tmp_path / f"w{i}" for i in range(3)]
    starts = [("witness", "--name", f"witness.example/w{i}", "--log", vkey, "--port") for i in range(3)]
    witnesses = [Process(homes[i], *starts[i], "0") for i in range(3)]
    keys = [re.search(r"witness NAME (\S+)", w.out + w.process.stdout.readline().decode()).group(1) for w in witnesses]
    lines = [f"witness w{i} {keys[i]} {witnesses[i].url}" for i in range(3)]
    policy = tmp_path / "policy"
    policy.write_text(f"log {vkey}\n" + "\n".join(lines) + "\ngroup g 2 w0 w1 w2\nquorum g\n")
    state = home / ".local/state/evident"
    server = Server(home, "--log-policy", str(policy), "--log-origin", "log.example/witnessed")

    def restart(i: int):
        witnesses[i] = Process(homes[i], *starts[i], witnesses[i].url.rsplit(":", 1)[1])

    def cosigners() -> list[str]:
        text = httpx.get(server.url + "/log/checkpoint").text
        return re.findall(r"— witness\.example/(w\d) ", text)

    try:
        evidence = logged(server.url, ask(server.url))
        assert len(re.findall("— witness.example/", evidence["log"])) >= 2
        eventually("all three cosign", lambda: sorted(cosigners()) == ["w0", "w1", "w2"])

        witnesses[0].kill()
        logged(server.url, ask(server.url))
        assert sorted(cosigners()) == ["w1", "w2"]

        witnesses[1].kill()
        receipt = ask(server.url)

        def reason():
            text = httpx.get(f"{server.url}/v1/receipts/{receipt}").headers["evident-log"]
            return text if "1 of 2" in text else None

        text = eventually("it says what is missing", reason)
        assert text.startswith("pending; ") and "w0" in text and "w1" in text, text
        assert "evident_log_publishing_waits 1" in httpx.get(server.url + "/metrics").text
        # The checkpoint that readers get is the last one with its quorum.
        assert sorted(cosigners()) == ["w1", "w2"]
        # A death in between changes nothing.
        server.kill()
        server = Server(home, "--log-policy", str(policy))
        assert httpx.get(f"{server.url}/v1/receipts/{receipt}").headers["evident-log"].startswith("pending")
        restart(0)
        check(logged(server.url, receipt)["log"], httpx.get(f"{server.url}/v1/receipts/{receipt}?receipt=only").content)
        restart(1)
        logged(server.url, ask(server.url))
        eventually("all three cosign again", lambda: sorted(cosigners()) == ["w0", "w1", "w2"])
    finally:
        assert server.stop() == 0
        for witness in witnesses:
            if witness.process.poll() is None:
                witness.stop()
    assert (state / "log/checkpoint").exists()


class Load:
    """Clients that post entries, and one that reads checkpoints, until the log is killed."""

    def __init__(self):
        self.numbers, self.node = itertools.count(), Node(1)
        self.unanswered: list[bytes] = []
        self.wrong: list[str] = []
        # What was said: where each entry is, and each size's root.
        self.told: dict[bytes, int] = {}
        self.roots: dict[int, set[str]] = {}

    def note(self, checkpoint: str):
        _, size, root = checkpoint.split("\n")[:3]
        self.roots.setdefault(int(size), set()).add(root)

    def run(self, url: str, clients: int = 4) -> list[threading.Thread]:
        def post():
            with httpx.Client(timeout=30) as client:
                while True:
                    # One that was not answered is sent again: it is in the log once, or not at all so far.
                    entry = self.unanswered.pop() if self.unanswered else self.node.entry(next(self.numbers))
                    try:
                        answer = client.post(url + "/entries", content=entry)
                    except httpx.HTTPError:
                        self.unanswered.append(entry)
                        return
                    if answer.status_code != 200 or self.told.setdefault(entry, answer.json()["index"]) != answer.json()["index"]:
                        self.wrong.append(answer.text)
                        return

        def read():
            with httpx.Client(timeout=30) as client:
                while True:
                    try:
                        answer = client.get(url + "/checkpoint")
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 200:
                        self.note(answer.text)

        threads = [threading.Thread(target=f) for f in [post] * clients + [read]]
        [t.start() for t in threads]
        return threads


def test_a_log_and_its_witnesses_killed_again_and_again_keep_their_word(tmp_path):
    """Whatever was answered is where it was said to be; of one size there is one root, for witnesses, too."""
    print(f"EVIDENT_SEED={SEED} EVIDENT_KILLS={KILLS}")
    rng, load, home = random.Random(SEED), Load(), tmp_path / "log"
    home.mkdir()
    folder = home / ".local/state/evident/log"
    vkey = run(home, "log", "key", "--origin", "log.example/killed").out.strip()
    starts = [("witness", "--name", f"witness.example/w{i}", "--log", vkey, "--port") for i in range(2)]
    witnesses = [Process(tmp_path / f"w{i}", *starts[i], "0") for i in range(2)]
    keys = [re.search(r"witness NAME (\S+)", w.out + w.process.stdout.readline().decode()).group(1) for w in witnesses]
    lines = [f"witness w{i} {keys[i]} {witnesses[i].url}\n" for i in range(2)]
    policy = tmp_path / "policy"
    policy.write_text(f"log {vkey}\n{''.join(lines)}group g any w0 w1\nquorum g\n")
    record = f"/{hashlib.sha256(b'log.example/killed').hexdigest()}/checkpoint"
    arguments = ("log", "serve", "--listen", "127.0.0.1:0", "--rate", "0", "--batch-interval", "3", "--policy", str(policy))
    whole: list[bytes] = []
    try:
        for number in range(KILLS):
            log = Process(home, *arguments)
            threads = load.run(log.url)
            # In three of four rounds at a random moment of the work, else of the start.
            goal = len(load.told) + (rng.randrange(1, 60) if number % 4 else 0)
            eventually("there is no work", lambda: len(load.told) >= goal or not any(t.is_alive() for t in threads))
            time.sleep(rng.uniform(0, 0.03))
            victim = rng.randrange(4)
            if victim < 2:
                witnesses[victim].kill()
                time.sleep(rng.uniform(0, 0.02))
            log.kill()
            [t.join() for t in threads]
            assert load.wrong == []
            if victim < 2:
                witnesses[victim] = Process(tmp_path / f"w{victim}", *starts[victim], witnesses[victim].url.rsplit(":", 1)[1])
            report = json.loads(run(home, "log", "fsck", "--json", "--policy", str(policy), str(folder)).out)
            assert report["ok"] and report["findings"] == [], report
            size = report["size"] if report["latestSize"] is None else report["latestSize"]
            for name in (".latest", "checkpoint"):
                if (folder / name).exists():
                    load.note((folder / name).read_text())
            for witness in witnesses:
                if (answer := httpx.get(witness.url + record)).status_code == 200:
                    load.note(answer.text)
            # Nothing that was there has changed, and all that was answered is there.
            now = entries(folder, size)
            assert now[:len(whole)] == whole and len(set(now)) == len(now)
            whole = now
            for entry, index in load.told.items():
                assert whole[index] == entry
        print(f"{KILLS} kills, {len(load.told)} answers, {len(load.roots)} checkpoints")
        assert len(load.told) > KILLS and len(load.roots) > KILLS
        # At rest all is published, and everyone has cosigned it; a batch that was cut off has been written by then.
        log = Process(home, *arguments)
        size = int((folder / ".latest").read_text().split("\n")[1])
        now = entries(folder, size)
        assert now[:len(whole)] == whole
        whole = now
        eventually("all is published", lambda: httpx.get(log.url + "/checkpoint").text.split("\n")[1] == str(size))
        eventually("both cosign", lambda: httpx.get(log.url + "/checkpoint").text.count("— witness.example/") == 2)
        load.note(httpx.get(log.url + "/checkpoint").text)
        assert log.stop() == 0
        tree = LogFiles(tmp_path / "again", Key("log.example/killed", 1)).append(whole)
        for size, roots in load.roots.items():
            assert roots == {base64.b64encode(tree.hash(0, size)).decode()}, f"size {size}"
    finally:
        for process in [log, *witnesses]:
            if process.process.poll() is None:
                process.kill()
