"""What becomes of a monitor's alarms: none is lost on the way to the webhook, and each proves itself."""

import base64
import json
import subprocess
import threading
from pathlib import Path

import pytest

from conftest import BINARY, Server, environment, run
from log_files import Key, LogFiles, Node, b64, sha
from test_log import ask, eventually, logged
from test_witness import Hook, alarms

KEY = Key("log.example/watched", 7)
NOBODY = "http://127.0.0.1:1/hook"


class Choosy(Hook):
    """Takes what it is told to take; may keep whoever posts waiting."""

    def __init__(self, takes=lambda body: True, waits: threading.Event | None = None):
        super().__init__()
        self.posting = threading.Event()
        handler, hook = self.server.RequestHandlerClass, self

        def do_POST(request):
            body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
            hook.posting.set()
            if waits:
                waits.wait(60)
            taken = takes(body)
            if taken:
                hook.bodies.append(body)
            request.send_response(200 if taken else 400)
            request.send_header("Content-Length", "0")
            request.end_headers()

        handler.do_POST = do_POST


def watch(tmp_path, log, *arguments, check):
    return run(tmp_path, "monitor", "--once", *map(str, arguments), str(log.folder), "--key", KEY.vkey, "--state",
               str(tmp_path / "state"), check=check)


def waiting(tmp_path) -> list[Path]:
    return sorted((tmp_path / "state" / "outbox").glob("*.json"))


def root(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    number, last, value = index, size - 1, leaf
    for other in proof:
        assert last > 0
        if number % 2 or number == last:
            value = sha(b"\1" + other + value)
            while not number % 2 and number:
                number, last = number >> 1, last >> 1
        else:
            value = sha(b"\1" + value + other)
        number, last = number >> 1, last >> 1
    assert last == 0
    return value


def leads(old: int, new: int, first: bytes, second: bytes, proof: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2, for 0 < old < new."""
    if old & (old - 1) == 0:
        proof = [first] + proof
    number, last = old - 1, new - 1
    while number % 2:
        number, last = number >> 1, last >> 1
    a = b = proof[0]
    for other in proof[1:]:
        if last == 0:
            return False
        if number % 2 or number == last:
            a, b = sha(b"\1" + other + a), sha(b"\1" + other + b)
            while not number % 2 and number:
                number, last = number >> 1, last >> 1
        else:
            b = sha(b"\1" + b + other)
        number, last = number >> 1, last >> 1
    return last == 0 and a == first and b == second


def body_of(note: str) -> tuple[int, bytes]:
    lines = note.split("\n")
    # Signed with the log's key, and by nobody else: so the bytes are what the key signs.
    assert KEY.sign("\n".join(lines[:3]).encode() + b"\n").decode() == note
    return int(lines[1]), base64.b64decode(lines[2])


def test_an_alarm_waits_for_the_webhook(tmp_path):
    """And what is posted has the evidence in it, for whoever cannot read the monitor's disk."""
    node = Node(1)
    log = LogFiles(tmp_path / "log", KEY).append([Node(2).entry(i) for i in range(4)] + [node.entry(0)])
    log.publish()
    (tmp_path / "empty").mkdir()
    arguments = ("--receipts", tmp_path / "empty", "--node-key", node.public.hex(), "--webhook")
    done = watch(tmp_path, log, *arguments, NOBODY, check=1)
    assert "did not take the alarm" in done.err and len(waiting(tmp_path)) == 1
    [alarm] = alarms(done)
    # Still nobody: that is said by the exit status, too.
    done = watch(tmp_path, log, *arguments, NOBODY, check=2)
    assert alarms(done) == [] and "did not take the alarm" in done.err and len(waiting(tmp_path)) == 1
    hook = Hook()
    assert alarms(watch(tmp_path, log, *arguments, hook.url, check=0)) == []
    [posted] = hook.bodies
    assert {k: v for k, v in posted.items() if k != "evidenceContent"} == alarm and waiting(tmp_path) == []
    watch(tmp_path, log, *arguments, hook.url, check=0)
    assert len(hook.bodies) == 1
    hook.close()
    content = posted["evidenceContent"]
    assert content == json.loads(Path(alarm["evidence"]).read_text())["evidence"]
    assert content["entry"].encode() == node.entry(0)
    head, note = content["proof"].split("\n\n", 1)
    kind, index, *proof = head.split("\n")
    size, wanted = body_of(note)
    assert (kind, index, size) == ("c2sp.org/tlog-proof@v1", "index 4", 5)
    assert root(sha(b"\0" + node.entry(0)), 4, 5, [base64.b64decode(h) for h in proof]) == wanted


def test_a_killed_monitor_loses_no_alarm(tmp_path):
    log = LogFiles(tmp_path / "log", KEY).append([b"no statement"])
    log.publish()
    never = threading.Event()
    hook = Choosy(waits=never)
    command = [str(BINARY), "monitor", "--once", str(log.folder), "--key", KEY.vkey, "--state", str(tmp_path / "state"),
               "--webhook", hook.url]
    monitor = subprocess.Popen(command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert hook.posting.wait(60)
    monitor.kill()
    monitor.communicate()
    never.set()
    hook.close()
    hook = Hook()
    watch(tmp_path, log, "--webhook", hook.url, check=0)
    assert [b["alarm"] for b in hook.bodies] == ["badEntry"]
    hook.close()


def test_what_a_webhook_never_takes_does_not_keep_back_the_rest(tmp_path):
    log = LogFiles(tmp_path / "log", KEY).append([b"no statement %d" % i for i in range(8)])
    log.publish()
    hook = Choosy(takes=lambda body: body["evidenceContent"]["entry"] in ("no statement 6", "no statement 7"))
    watch(tmp_path, log, "--webhook", hook.url, check=1)
    for _ in range(2):
        watch(tmp_path, log, "--webhook", hook.url, check=2)
    assert [b["evidenceContent"]["entry"][-1] for b in hook.bodies] == ["6", "7"] and len(waiting(tmp_path)) == 6
    hook.close()


def test_what_waits_is_bounded_and_says_so(tmp_path):
    log = LogFiles(tmp_path / "log", KEY).append([b"no statement %d" % i for i in range(1100)])
    log.publish()
    done = watch(tmp_path, log, "--webhook", NOBODY, check=1)
    assert len(alarms(done)) == 1100 and len(waiting(tmp_path)) == 1001
    assert done.err.count("no more are kept") == 1
    # Of another kind there is room.
    good = (log.folder / "checkpoint").read_bytes()
    (log.folder / "checkpoint").write_bytes(log.checkpoint(600))
    watch(tmp_path, log, "--webhook", NOBODY, check=1)
    assert len(waiting(tmp_path)) == 1002
    (log.folder / "checkpoint").write_bytes(good)
    hook = Hook()
    watch(tmp_path, log, "--webhook", hook.url, check=0)
    assert len(hook.bodies) == 1002 and waiting(tmp_path) == []
    assert sum("there are more alarms" in b["message"] for b in hook.bodies) == 1
    # A webhook that works gets all, however many and long.
    log.append([bytes([65 + i % 26]) * 60000 for i in range(400)] + [b"no %d" % i for i in range(1200)]).publish()
    hook.bodies.clear()
    done = watch(tmp_path, log, "--webhook", hook.url, check=1)
    assert len(hook.bodies) == len(alarms(done)) == 1600 and "no more are kept" not in done.err
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


def test_one_entry_hides_behind_no_others(tmp_path):
    """More alarms than one round has room for, and behind them the one that matters."""
    node = Node(1)
    log = LogFiles(tmp_path / "log", KEY).append([b"no statement %d" % i for i in range(2100)] + [node.entry(1)])
    log.publish()
    done = watch(tmp_path, log, "--node-key", node.public.hex(), check=1)
    found = alarms(done)
    assert len(found) == 2101 and found[-1]["alarm"] == "foreignEntry" and "entry 2100 " in found[-1]["message"]
    assert [line["newEntries"] for line in map(json.loads, done.out.splitlines()) if "event" in line] == [2101]


@pytest.mark.parametrize("old, new", [(5, 6), (4, 7), (300, 600)])
def test_a_fork_of_two_sizes_proves_itself(tmp_path, old, new):
    """Seen at two addresses at once: one alarm, nothing that cannot be compared, and evidence for a third party."""
    shared = [b"entry %d" % i for i in range(old - 1)]
    honest = LogFiles(tmp_path / "honest", KEY).append(shared + [b"the last"])
    other = LogFiles(tmp_path / "forked", KEY).append(shared + [b"another %d" % i for i in range(new - old + 1)])
    honest.publish()
    other.publish()
    for logs in ([honest.folder, other.folder], [other.folder, honest.folder]):
        done = run(tmp_path, "monitor", "--once", "--any-entries", *map(str, logs), "--key", KEY.vkey, "--state",
                   str(tmp_path / f"state-{logs[0].name}"), check=1)
        assert "behind" not in done.out
        [alarm] = alarms(done)
        evidence = json.loads(Path(alarm["evidence"]).read_text())["evidence"]
        (small, a), (large, b) = sorted([body_of(evidence["known"]), body_of(evidence["seen"])])
        first, *proof = [base64.b64decode(line) for line in evidence["beginning"].split()]
        assert (small, large) == (old, new) and first != a and leads(old, new, first, b, proof)
        assert b64(first) in alarm["message"]


def test_what_the_node_says_about_its_keys_is_its_own(tmp_path):
    run(tmp_path, "keys")
    new = json.loads(run(tmp_path, "keys", "rotate", "--json").out)["publicKey"]
    server = Server(tmp_path)
    try:
        logged(server.url, ask(server.url))
        old = json.loads(run(tmp_path, "keys", "--json").out)["history"]
        run(tmp_path, "keys", "rotate")
        eventually("the entries are in the log", lambda: all(
            item["logged"] for item in json.loads(run(tmp_path, "keys", "--json").out)["history"]))
        vkey = run(tmp_path, "log", "key").out.strip()
        state = tmp_path / ".local" / "state" / "evident"

        def found(*receipts, key=new) -> list[str]:
            given = sum((["--receipts", str(place)] for place in receipts), [])
            number = len(list(tmp_path.glob("state-*")))
            done = run(tmp_path, "monitor", "--once", server.url + "/log", "--key", vkey, "--node-key", key, *given,
                       "--state", str(tmp_path / f"state-{number}"), check=None)
            assert done.returncode == (1 if alarms(done) else 0), done.out + done.err
            return [a["alarm"] for a in alarms(done)]

        assert len(old) == 1 and found() == ["foreignEntry"] * 3
        assert found(state / "receipts.sqlite") == [] and found(state) == []
        assert found(server.url, state / "key-history") == [] and found(server.url, state) == []
        # A server answers for receipts; the folder of keys has no receipts.
        assert found(server.url) == ["foreignEntry"] * 2 and found(state / "key-history") == ["foreignEntry"]
        # Not everything about a key is the node's own.
        (tmp_path / "part").mkdir()
        first = (state / "key-history" / "0001.entry.json").read_bytes()
        (tmp_path / "part" / "a.json").write_bytes(first)
        assert found(server.url, tmp_path / "part") == ["foreignEntry"]
        # A place that cannot be asked matters where no other has the entry.
        assert found("http://127.0.0.1:9", state) == []
    finally:
        server.stop()
