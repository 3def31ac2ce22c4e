"""Witnesses and monitors as people run them: three witnesses, 2 of which must agree, and a log that may lie."""

import hashlib
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from conftest import BINARY, Server, environment, run
from log_files import Key, LogFiles, Node, b64


class Process:
    """A command that says where it listens, and something about itself."""

    def __init__(self, home: Path, *arguments: str):
        self.home = home
        self.errors = open(home / "errors.txt", "ab")
        self.process = subprocess.Popen(
            [str(BINARY), *map(str, arguments)], env=environment(home), cwd=home, stdout=subprocess.PIPE,
            stderr=self.errors, stdin=subprocess.DEVNULL)
        self.said, deadline = "", time.monotonic() + 60
        os.set_blocking(self.process.stdout.fileno(), False)
        while not (match := re.search(r"(http://127\.0\.0\.1:\d+)[^\n]*\n[^\n]+\n", self.said)):
            assert time.monotonic() < deadline and self.process.poll() is None, (home / "errors.txt").read_text()
            self.said += (self.process.stdout.read() or b"").decode()
            time.sleep(0.01)
        self.url = match.group(1)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.errors.close()
        assert code == 0, (self.home / "errors.txt").read_text()


class Witness(Process):
    def __init__(self, home: Path, name: str, *logs: str):
        self.folder = home / name
        self.folder.mkdir(exist_ok=True)
        self.arguments = ["witness", "--folder", self.folder, "--name", f"{name}.example/w"]
        for log in logs:
            self.arguments += ["--log", log]
        super().__init__(self.folder, *self.arguments, "--port", 0)
        self.vkey = re.search(r"witness NAME (\S+)", self.said).group(1)

    def restart(self):
        super().__init__(self.folder, *self.arguments, "--port", self.url.rsplit(":", 1)[1])

    def add(self, body: bytes) -> httpx.Response:
        return httpx.post(self.url + "/add-checkpoint", content=body, timeout=30)


KEY = Key("log.example/test", 7)


@pytest.fixture
def witnesses(tmp_path):
    found = [Witness(tmp_path, f"w{i}", KEY.vkey) for i in (1, 2, 3)]
    yield found
    for witness in found:
        if witness.process.poll() is None:
            witness.kill()


def policy_text(log: str, witnesses) -> str:
    lines = [f"log {log}"] + [f"witness w{i} {w.vkey} {w.url}" for i, w in enumerate(witnesses, 1)]
    return "\n".join(lines + ["group q 2 w1 w2 w3", "quorum q", ""])


def alarms(done) -> list[dict]:
    return [line for line in map(json.loads, done.out.splitlines()) if "alarm" in line]


def monitor(home: Path, *arguments, check):
    return run(home, "monitor", "--once", "--any-entries", *map(str, arguments), check=check)


def test_a_log_that_forks_is_cosigned_once_and_found_out(tmp_path, witnesses):
    policy = tmp_path / "policy"
    policy.write_text(policy_text(KEY.vkey, witnesses))
    honest = LogFiles(tmp_path / "honest", KEY).append([b"entry %d" % i for i in range(300)])
    lines = [w.add(honest.add_checkpoint(0)) for w in witnesses]
    assert [r.status_code for r in lines] == [200] * 3
    honest.publish(*(r.content for r in lines))
    assert alarms(monitor(tmp_path, honest.folder, "--policy", policy, check=0)) == []
    # Two views of what comes next: two witnesses see one, the third sees the other. Nobody signs both.
    forked = honest.fork(tmp_path / "forked").append([b"for others %d" % i for i in range(10)])
    honest.append([b"more %d" % i for i in range(10)])
    lines = [w.add(honest.add_checkpoint(300)) for w in witnesses[:2]]
    lines.append(witnesses[2].add(forked.add_checkpoint(300)))
    assert [r.status_code for r in lines] == [200] * 3
    for witness, losing in zip(witnesses, [forked, forked, honest]):
        assert witness.add(losing.add_checkpoint(310)).status_code == 422
        assert witness.add(losing.add_checkpoint(300)).status_code == 409
        kept = list(witness.folder.glob("*/fork-refused"))
        assert len(kept) == 1 and kept[0].read_bytes() == losing.checkpoint()
    honest.publish(*(r.content for r in lines[:2]))
    # Whoever sees one view only sees the other through the witness.
    done = monitor(tmp_path, honest.folder, "--policy", policy, *sum((["--witness", w.url] for w in witnesses), []),
                   check=1)
    [alarm] = alarms(done)
    assert alarm["alarm"] == "fork" and witnesses[2].url in alarm["message"]
    evidence = json.loads(Path(alarm["evidence"]).read_text())["evidence"]
    texts = {evidence["known"].split("\n\n")[0], evidence["seen"].split("\n\n")[0]}
    assert texts == {honest.checkpoint().decode().split("\n\n")[0], forked.checkpoint().decode().split("\n\n")[0]}
    assert all(f"— {KEY.name} " in note for note in evidence.values())
    # The other view, shown to a monitor that has seen the first: also when it has grown.
    for _ in range(2):
        for path in forked.folder.glob("**/*"):
            if path.is_file():
                target = honest.folder / path.relative_to(forked.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
        (honest.folder / "checkpoint").write_bytes(forked.checkpoint())
        done = monitor(tmp_path, honest.folder, "--key", KEY.vkey, check=1)
        assert [a["alarm"] for a in alarms(done)] == ["fork"], done.out
        forked.append([b"and on"])


class Hook:
    """A webhook, by default one that takes what is posted to it."""

    def __init__(self, status: int = 200):
        self.bodies: list[dict] = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_a_monitor_names_what_is_wrong(tmp_path):
    log = LogFiles(tmp_path / "log", KEY).append([b"entry %d" % i for i in range(600)])
    log.publish()
    hook = Hook()
    arguments = [log.folder, "--key", KEY.vkey, "--webhook", hook.url]
    done = monitor(tmp_path, *arguments, check=0)
    assert json.loads(done.out)["newEntries"] == 600
    log.append([b"one more"]).publish()
    assert json.loads(monitor(tmp_path, *arguments, check=0).out)["newEntries"] == 1
    assert monitor(tmp_path, *arguments, check=0).out == ""

    def expect(kind: str):
        done = monitor(tmp_path, *arguments, check=1)
        assert [a["alarm"] for a in alarms(done)] == [kind], done.out
        assert hook.bodies[-1]["alarm"] == kind

    good = (log.folder / "checkpoint").read_bytes()
    (log.folder / "checkpoint").write_bytes(log.checkpoint(600))
    expect("rollback")
    (log.folder / "checkpoint").write_bytes(Key(KEY.name, 8).sign(good.split(b"\n\n")[0] + b"\n"))
    expect("wrongSignature")
    log.append([b"x"]).publish()
    bundle = log.folder / "tile/entries/002.p/90"
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"y")
    expect("damaged")
    bundle.unlink()
    expect("damaged")
    bundle.write_bytes(b"")
    expect("damaged")
    assert run(tmp_path, "monitor", "--once", "http://127.0.0.1:9", "--key", KEY.vkey, check=2).out
    hook.close()


def test_a_log_that_does_wrong_all_the_time_fills_no_disk(tmp_path):
    """Of each kind of alarm so many are kept, and a webhook that takes nothing is not asked for each of them."""
    log = LogFiles(tmp_path / "log", KEY).append([b"no statement %d" % i for i in range(210)])
    log.publish()
    hook, state = Hook(status=500), tmp_path / "state"
    arguments = ["monitor", "--once", str(log.folder), "--key", KEY.vkey, "--state", str(state), "--webhook", hook.url]
    done = run(tmp_path, *arguments, check=1)
    found = alarms(done)
    assert len(found) == 210 and sum("evidence" in a for a in found) == 200
    assert len(list(state.glob("badEntry-*.json"))) == 200 and "move them away" in done.err
    # The first one is tried again; then each once, until it is plain that nobody hears.
    assert len(hook.bodies) == 4 + 2 and hook.url in done.err
    # What comes after them has its evidence.
    (log.folder / "checkpoint").write_bytes(log.checkpoint(100))
    [alarm] = alarms(run(tmp_path, *arguments, check=1))
    assert alarm["alarm"] == "rollback" and Path(alarm["evidence"]).exists()
    hook.close()


def test_a_node_that_is_away_is_no_alarm(server, tmp_path):
    """The server of the own receipts cannot be asked: that is said, and the entry is looked at again."""
    node = Node(1)
    receipt = node.receipt(any_receipt(server), KEY.vkey, "2026-01-02T00:00:00Z")
    log = LogFiles(tmp_path / "log", KEY).append([receipt])
    log.publish()
    arguments = ["monitor", "--once", str(log.folder), "--key", KEY.vkey, "--node-key", node.public.hex(), "--receipts"]
    done = run(tmp_path, *arguments, "http://127.0.0.1:9", check=2)
    assert alarms(done) == [] and "connection refused" in json.loads(done.out)["reason"]
    folder = tmp_path / "own"
    folder.mkdir()
    assert [a["alarm"] for a in alarms(run(tmp_path, *arguments, str(folder), "--state", "other", check=1))] == ["foreignEntry"]
    (folder / "receipt.json").write_bytes(receipt)
    assert alarms(run(tmp_path, *arguments, str(folder), check=0)) == []


def any_receipt(server) -> bytes:
    answer = httpx.post(server.url + "/v1/chat/completions", timeout=60, json={
        "model": "evident-tiny", "max_tokens": 2, "messages": [{"role": "user", "content": "Hello!"}]})
    return httpx.get(f"{server.url}/v1/receipts/{answer.json()['receipt']['id']}?receipt=only").content


def test_a_promise_that_is_not_kept_is_an_alarm(server, tmp_path):
    node, receipt = Node(2), any_receipt(server)
    log = LogFiles(tmp_path / "log", KEY).append([Node(1).entry(i) for i in range(3)])
    log.publish()
    due, later = tmp_path / "due.json", tmp_path / "later.json"
    due.write_bytes(node.receipt(receipt, KEY.vkey, "2026-01-02T00:00:00Z"))
    later.write_bytes(node.receipt(receipt, KEY.vkey, "2096-01-02T00:00:00Z"))
    arguments = ["monitor", "--once", str(log.folder), "--key", KEY.vkey, "--receipt"]
    assert alarms(run(tmp_path, *arguments, str(later), check=0)) == []
    hook = Hook()
    [alarm] = alarms(run(tmp_path, *arguments, str(due), "--receipt", str(later), "--webhook", hook.url, check=1))
    assert alarm["alarm"] == "brokenPromise" and "2026-01-02T00:00:00Z" in alarm["message"]
    assert hook.bodies == [alarm]
    hook.close()
    evidence = json.loads(Path(alarm["evidence"]).read_text())["evidence"]
    assert evidence["receipt"].encode() == due.read_bytes() and evidence["known"].encode() == log.checkpoint()
    log.append([due.read_bytes()]).publish()
    assert alarms(run(tmp_path, *arguments, str(due), check=0)) == []
    other = tmp_path / "other.json"
    other.write_bytes(node.receipt(receipt, Key("log.example/other", 9).vkey, "2026-01-02T00:00:00Z"))
    for wrong, what in [(other, "another log"), (log.folder / "checkpoint", "no receipt"), (tmp_path / "none", "none")]:
        assert what in run(tmp_path, *arguments, str(wrong), check=2).err


def test_an_old_copy_of_a_log_accuses_nobody(server, tmp_path, witnesses):
    """Only a checkpoint that witnesses saw after the promised time shows that a receipt is missing."""
    node, receipt = Node(2), any_receipt(server)
    log = LogFiles(tmp_path / "log", KEY).append([Node(1).entry(i) for i in range(3)])
    log.publish(*(w.add(log.add_checkpoint(0)).content for w in witnesses))
    (tmp_path / "policy").write_text(policy_text(KEY.vkey, witnesses))
    for ago, status, says in [(60, 2, "old copy"), (3 * 3600, 1, "is not among its 3 entries")]:
        due = tmp_path / f"{ago}.json"
        due.write_bytes(node.receipt(receipt, KEY.vkey, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))))
        done = run(tmp_path, "monitor", "--once", str(log.folder), "--policy", "policy", "--receipt", str(due), check=status)
        assert says in done.out + done.err and len(alarms(done)) == (status == 1)
        done = run(tmp_path, "verify", "--receipt-only", "--policy", "policy", "--log", str(log.folder), str(due), check=status)
        assert ("REFUTED: promise" if status == 1 else "old copy") in done.out


def test_fsck_says_it_in_json(tmp_path):
    log = LogFiles(tmp_path / "log", KEY).append([b"entry %d" % i for i in range(700)])
    log.publish()
    report = json.loads(run(tmp_path, "log", "fsck", "--json", str(log.folder), "--key", KEY.vkey).out)
    assert report["ok"] and report["origin"] == KEY.name and report["size"] == report["entriesVerified"] == 700
    assert report["root"] == b64(log.hash(0, 700)) and report["findings"] == [] and report["findingsTotal"] == 0
    assert report["latestSize"] is None and report["files"] > 6 and report["bytes"] > 700 * 32
    bundle = log.folder / "tile/entries/001"
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b"entry 300", b"entry 3OO"))
    report = json.loads(run(tmp_path, "log", "fsck", "--json", str(log.folder), "--key", KEY.vkey, check=1).out)
    assert not report["ok"] and [f["path"] for f in report["findings"]] == ["tile/entries/001"]
    assert "entry 300" in report["findings"][0]["problem"] and not report["findings"][0]["unread"]
    bundle.write_bytes(good)
    # Not readable by no fault of the log: told apart, in the exit status too.
    done = run(tmp_path, "log", "fsck", "--json", "http://127.0.0.1:9/log", "--key", KEY.vkey, check=2)
    report = json.loads(done.out)
    assert not report["ok"] and report["size"] is None and report["findings"][0]["unread"]


def test_a_witness_killed_again_and_again_keeps_its_word(tmp_path):
    """Two histories are offered at once; whatever is cosigned, before and after each death, is of one of them."""
    kills = int(os.environ.get("EVIDENT_KILLS", "10"))
    witness = Witness(tmp_path, "w", KEY.vkey)
    size_max = 2000
    one = LogFiles(tmp_path / "one", KEY).append([b"entry %d" % i for i in range(10)])
    two = one.fork(tmp_path / "two").append([b"other %d" % i for i in range(10, size_max)])
    one.append([b"entry %d" % i for i in range(10, size_max)])
    record = f"/{hashlib.sha256(KEY.name.encode()).hexdigest()}/checkpoint"
    cosigned: dict[int, set[str]] = {}
    wrong: list[str] = []

    def note(checkpoint: str):
        _, size, root = checkpoint.split("\n")[:3]
        cosigned.setdefault(int(size), set()).add(root)

    def load(log: LogFiles):
        seen = 0
        with httpx.Client() as client:
            while True:
                new = min(seen + 1, size_max)
                try:
                    answer = client.post(witness.url + "/add-checkpoint", content=log.add_checkpoint(seen, new))
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    note(log.checkpoint(new).decode())
                    seen = new
                elif answer.status_code == 409:
                    seen = int(answer.text)
                elif answer.status_code != 422:
                    return wrong.append(f"{answer.status_code} {answer.text}")

    for number in range(kills):
        threads = [threading.Thread(target=load, args=(log,)) for log in (one, two, one, two)]
        [t.start() for t in threads]
        goal, deadline = len(cosigned) + number % 4, time.monotonic() + 30
        while len(cosigned) < goal and time.monotonic() < deadline and max(cosigned, default=0) < size_max:
            time.sleep(0.001)
        time.sleep(0.007 * (number % 5))
        witness.kill()
        [t.join() for t in threads]
        assert wrong == []
        witness.restart()
        answer = httpx.get(witness.url + record)
        if answer.status_code == 200:
            assert int(answer.text.split("\n")[1]) >= max(cosigned, default=0)
            note(answer.text)
        else:
            assert answer.status_code == 404 and not cosigned
        histories = [log for log in (one, two)
                     if all(roots == {b64(log.hash(0, size))} for size, roots in cosigned.items())]
        assert histories, cosigned
    assert len(cosigned) > kills and max(cosigned) > 10
    witness.stop()


def test_the_logs_server_needs_two_of_three(tmp_path):
    vkey = run(tmp_path, "log", "key", "--origin", "log.example/served").out.strip()
    witnesses = [Witness(tmp_path, f"w{i}", vkey) for i in (1, 2, 3)]
    policy = tmp_path / "policy"
    policy.write_text(policy_text(vkey, witnesses))
    server = Server(tmp_path, "--log-policy", str(policy))

    def ask() -> str:
        answer = httpx.post(server.url + "/v1/chat/completions", timeout=60, json={
            "model": "evident-tiny", "max_tokens": 2, "messages": [{"role": "user", "content": "Hello!"}]})
        return answer.json()["receipt"]["id"]

    def wait_for(receipt: str, status: str, seconds: float = 30) -> httpx.Response:
        deadline = time.monotonic() + seconds
        while True:
            answer = httpx.get(f"{server.url}/v1/receipts/{receipt}")
            if answer.headers["evident-log"].startswith(status):
                return answer
            assert time.monotonic() < deadline, answer.headers["evident-log"]
            time.sleep(0.05)

    def watch(*arguments, check=0):
        return run(tmp_path, "monitor", "--once", server.url + "/log", "--policy", str(policy), *arguments, check=check)

    try:
        first = ask()
        evidence = tmp_path / "first.json"
        evidence.write_bytes(wait_for(first, "logged").content)
        verdict = run(tmp_path, "verify", "--policy", str(policy), str(evidence))
        assert "w1" in verdict.out or "quorum" in verdict.out.lower()
        # One witness down: still logged.
        witnesses[0].kill()
        wait_for(ask(), "logged")
        # Two down: it stays pending, and says so.
        witnesses[1].kill()
        pending = ask()
        time.sleep(1.5)
        header = wait_for(pending, "pending").headers["evident-log"]
        assert "reason" in header and "1 of 2" in header, header
        # The published record stands where two of three saw it, and is whole.
        assert run(tmp_path, "log", "fsck", server.url + "/log", "--policy", str(policy)).out
        node = json.loads(run(tmp_path, "keys", "--json").out)["publicKey"]
        store = next(tmp_path.rglob("receipts.sqlite"))
        done = watch("--node-key", node, "--receipts", str(store))
        assert alarms(done) == [], done.out
        # Back again: what was pending is logged.
        witnesses[1].restart()
        wait_for(pending, "logged")
        done = watch("--node-key", node, "--receipts", server.url)
        assert alarms(done) == [], done.out
        # Someone else's receipts: every entry in this node's name is an alarm.
        empty = tmp_path / "empty"
        empty.mkdir()
        done = watch("--node-key", node, "--receipts", str(empty), "--state", str(tmp_path / "other"), check=1)
        assert {a["alarm"] for a in alarms(done)} == {"foreignEntry"} and len(alarms(done)) == 3
    finally:
        for witness in witnesses:
            witness.kill()
        server.stop()
