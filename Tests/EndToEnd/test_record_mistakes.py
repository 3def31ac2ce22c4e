"""What people get wrong with logs, witnesses, policies and keys: each time one error that says what to do."""

import http.server
import json
import re
import resource
import socket
import sqlite3
import threading
import time

import httpx
import pytest

from conftest import Server, run
from log_files import Key, LogFiles
from test_log import Process, ask, eventually, logged

KEY = Key("log.example/mistakes", 11)
OTHER = Key("log.example/other", 12)


def fails(home, *arguments, says, status=1, **extra):
    """One error and at most one hint, in which all of `says` is."""
    done = run(home, *map(str, arguments), check=status, **extra)
    lines = done.err.splitlines()
    assert sum(line.startswith("Error: ") for line in lines) == 1 and len(lines) <= 3, done.err
    assert sum(line.startswith("hint: ") for line in lines) <= 1 and "Error Domain" not in done.err, done.err
    assert all(word in done.err for word in says), done.err
    return done


@pytest.fixture(scope="module")
def witness_key(tmp_path_factory):
    """The line of a witness, without its URL."""
    home = tmp_path_factory.mktemp("witness")
    witness = Process(home, "witness", "--name", "witness.example/w", "--log", KEY.vkey, "--port", "0")
    line = witness.process.stdout.readline().decode()
    assert witness.stop() == 0
    return re.search(r"witness NAME (\S+)", line).group(1)


@pytest.mark.parametrize("command", [["serve", "--port"], ["log", "serve", "--listen"], ["witness", "--name", "w.example/w", "--log", KEY.vkey, "--port"]])
def test_where_nothing_can_listen(tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        host = "127.0.0.1:" if "--listen" in command else ""
        fails(tmp_path, *command, host + port, says=["cannot listen on 127.0.0.1:" + port, "in use", "choose another port"])
    address = ["nowhere.invalid:0"] if host else ["0", "--host", "nowhere.invalid"]
    fails(tmp_path, *command, *address, says=["cannot listen on nowhere.invalid", "no such address", "127.0.0.1"])


def test_policies_under_which_a_log_cannot_publish(tmp_path, witness_key):
    key = run(tmp_path, "log", "key").out.strip()
    policy = tmp_path / "policy"

    def refused(text, *says):
        policy.write_text(text)
        fails(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", "--policy", policy, says=says)
        fails(tmp_path, "serve", "--port", "0", "--log-policy", policy, says=says)

    witness = f"witness w {witness_key}"
    refused(f"log {KEY.vkey}\nquorum none\n", "does not name this one", f"log {key}")
    refused(f"log {key}\n{witness}\nquorum w\n", "nothing could ever be published", "URL", "w")
    refused(f"log {key}\n{witness} witness.example\nquorum w\n", "witness.example", "http://")
    refused(f"log {key}\nquorum\n", "line 2", "tlog-policy")
    # A witness that is not needed need not be reached; a policy may name no log, or others too.
    for text in [f"{witness}\nquorum none\n", f"log {KEY.vkey}\nlog {key}\nquorum none\n"]:
        policy.write_text(text)
        assert Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", "--policy", str(policy)).stop() == 0


def test_no_new_key_for_what_an_old_one_has_signed(tmp_path):
    state = tmp_path / ".local/state/evident"
    assert Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0").stop() == 0
    (state / "log.key").rename(tmp_path / "kept")
    for command in [["log", "serve", "--listen", "127.0.0.1:0"], ["serve", "--port", "0"], ["log", "key"]]:
        fails(tmp_path, *command, says=["there is a log in", "restore the key"])
        assert not (state / "log.key").exists()
    log = LogFiles(tmp_path / "files", KEY).append([b"entry"])
    witness = Process(tmp_path, "witness", "--name", "witness.example/w", "--log", KEY.vkey, "--port", "0")
    assert httpx.post(witness.url + "/add-checkpoint", content=log.add_checkpoint(0)).status_code == 200
    assert witness.stop() == 0
    (state / "witness/witness.key").unlink()
    fails(tmp_path, "witness", "--name", "witness.example/w", "--log", KEY.vkey, "--port", "0", says=["records", "restore the key"])
    assert not (state / "witness/witness.key").exists()


def test_folders_that_are_in_use_or_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    fails(tmp_path, "log", "serve", "--dir", "file", "--listen", "127.0.0.1:0", says=["file", "check the disk"])
    fails(tmp_path, "monitor", "--once", ".", "--key", KEY.vkey, "--state", "file/x", says=["the state file/x", "--state"], status=2)
    witness = Process(tmp_path, "witness", "--name", "witness.example/w", "--log", KEY.vkey, "--port", "0")
    fails(tmp_path, "witness", "--log", KEY.vkey, "--port", "0", says=["another process has it open", "--folder"])
    assert witness.stop() == 0
    (tmp_path / ".local/state/evident/receipts.sqlite").mkdir(parents=True)
    fails(tmp_path, "serve", "--port", "0", says=["receipts.sqlite", "cannot be opened", "EVIDENT_STATE"])


def test_a_log_whose_disk_is_full_says_so_to_its_operator_only(server, tmp_path):
    """Entries that it cannot write are taken when it can again."""
    home = tmp_path / "log"
    home.mkdir()

    def start(bytes_max):
        return Process(home, "log", "serve", "--listen", "127.0.0.1:0", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (bytes_max, resource.RLIM_INFINITY)))

    # Room for the index, and for a few entries.
    log = start(64 << 10)
    envelopes = [httpx.get(f"{server.url}/v1/receipts/{ask(server.url)}?receipt=only").content for _ in range(2)]
    big = [httpx.get(f"{server.url}/v1/receipts/{ask(server.url)}?receipt=only").content for _ in range(40)]
    try:
        assert httpx.post(log.url + "/entries", content=envelopes[0]).status_code == 200
        assert httpx.get(log.url + "/health").json()["taking"] == "ok"

        def failing():
            # Opened again after a failure it takes entries until the next one.
            for entry in big:
                answer = httpx.post(log.url + "/entries", content=entry)
                health = httpx.get(log.url + "/health").json()
                if answer.status_code == 503 and health["status"] == "failing":
                    return answer, health

        refused, health = eventually("it cannot write", failing)
        assert str(home) not in refused.text + json.dumps(health) and "operator" in refused.text, refused.text
        assert "operator" in health["taking"]
        assert int(re.search(r"^evident_log_failures_total (\d+)", httpx.get(log.url + "/metrics").text, flags=re.M)[1]) > 0
        eventually("the operator is told", lambda: "takes no entries" in (home / "errors.log").read_text())
        assert str(home) in (home / "errors.log").read_text() and "check the disk" in (home / "errors.log").read_text()
    finally:
        log.kill()
    log = start(1 << 30)
    try:
        assert all(httpx.post(log.url + "/entries", content=e).status_code == 200 for e in envelopes + big)
        key = run(home, "log", "key").out.strip()
        run(home, "log", "fsck", log.url, "--key", key)
    finally:
        assert log.stop() == 0


def test_a_node_says_once_that_its_log_does_not_answer(tmp_path):
    seen = []

    class Log(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.path)
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b"not now\n")

        def log_message(self, *arguments):
            pass

    log = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Log)
    threading.Thread(target=log.serve_forever, daemon=True).start()
    server = Server(tmp_path, "--log-url", f"http://127.0.0.1:{log.server_port}", "--log-vkey", KEY.vkey)

    def metric(name):
        return int(re.search(rf"^evident_receipts_{name} (-?\d+)$", metrics, flags=re.M)[1])

    try:
        assert httpx.get(server.url + "/health").json()["receipts"] == {
            "unlogged": 0, "overdue": 0, "firstPromiseEnds": None}
        assert "evident_receipts_promise_seconds" not in httpx.get(server.url + "/metrics").text
        receipts = [ask(server.url), ask(server.url)]
        eventually("it is tried again", lambda: len(seen) >= 4)
        unlogged, metrics = httpx.get(server.url + "/health").json(), httpx.get(server.url + "/metrics").text
        assert unlogged["receipts"]["unlogged"] == 2 and metric("unlogged") == 2
    finally:
        assert server.stop() == 0
        log.shutdown()
    text = (tmp_path / "server.log").read_text()
    assert unlogged["log"] == KEY.vkey and unlogged["receipts"]["overdue"] == 0
    # Within a day of the answer.
    assert unlogged["receipts"]["firstPromiseEnds"] > time.strftime("%Y-%m-%dT%H", time.gmtime())
    assert 86_000 < metric("promise_seconds") <= 86_400 and metric("overdue") == 0
    # Receipts that an earlier version has kept.
    database = sqlite3.connect(tmp_path / ".local/state/evident/receipts.sqlite")
    database.executescript("""
        DROP INDEX answer_promised; ALTER TABLE answer DROP COLUMN promiseEnds;
        DELETE FROM grdb_migrations WHERE identifier = 'promises'""")
    server = Server(tmp_path, "--log-url", "http://127.0.0.1:9", "--log-vkey", KEY.vkey)
    try:
        assert httpx.get(server.url + "/health").json()["receipts"] == unlogged["receipts"]
        with database:
            database.execute("UPDATE answer SET promiseEnds = 1000 WHERE receiptID = ?", [receipts[0]])
        found = httpx.get(server.url + "/health").json()["receipts"]
        assert found == {"unlogged": 2, "overdue": 1, "firstPromiseEnds": "1970-01-01T00:16:40Z"}
        metrics = httpx.get(server.url + "/metrics").text
        assert metric("overdue") == 1 and metric("promise_seconds") < 0
    finally:
        assert server.stop() == 0
        database.close()
    assert text.count("receipts cannot be logged now") == 1 and "answers 503: not now" in text, text


def test_a_node_does_not_promise_another_log_than_the_one_at_the_address(tmp_path):
    (tmp_path / "log").mkdir()
    log = Process(tmp_path / "log", "log", "serve", "--listen", "127.0.0.1:0", "--origin", "log.example/here")
    try:
        fails(tmp_path, "serve", "--port", "0", "--log-url", log.url, "--log-vkey", KEY.vkey,
              says=["log.example/here", "--log-vkey", "evident log key"])
    finally:
        assert log.stop() == 0


def test_an_operator_is_told_when_publishing_waits(tmp_path, witness_key):
    key = run(tmp_path, "log", "key").out.strip()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    policy = tmp_path / "policy"
    policy.write_text(f"log {key}\nwitness w {witness_key} http://127.0.0.1:{port}\nquorum w\n")
    log = Process(tmp_path, "log", "serve", "--listen", "127.0.0.1:0", "--policy", str(policy))
    try:
        eventually("it says so", lambda: "not published" in (tmp_path / "errors.log").read_text())
        text = (tmp_path / "errors.log").read_text()
        assert f"http://127.0.0.1:{port}: connection refused" in text and "1 cosignatures" in text, text
    finally:
        assert log.stop() == 0
    # Once, however often it is tried.
    assert (tmp_path / "errors.log").read_text().count("not published") == 1


def test_errors_about_arguments_show_the_usage_of_their_command(tmp_path):
    for command, wrong in [
        (["verify"], ["--key", "zz", "x"]), (["log", "serve"], ["--rate=-1"]), (["keys", "revoke"], ["zz"]),
        (["log", "fsck"], ["x", "--key", "a", "--policy", "b"]), (["monitor"], ["x", "--webhook", "ftp://x"]),
        (["serve"], ["--drain", "0"]),
    ]:
        done = run(tmp_path, *command, *wrong, check=64)
        name = "evident " + " ".join(command)
        assert re.match(rf"Error: [^\n]+\nUsage: {name} [^\n]+\n  See '{name} --help' for more information\.\n$", done.err), done.err


def test_one_is_a_judgement_and_two_is_none(tmp_path):
    """Of commands whose exit status means something, what keeps them from judging is 2."""
    (tmp_path / "bad").write_text("quorum nobody\n")
    LogFiles(tmp_path / "log", KEY).append([b"entry"]).publish()
    for policy in ["missing", "bad"]:
        fails(tmp_path, "verify", "a.json", "--policy", policy, says=[policy], status=2)
        fails(tmp_path, "log", "fsck", "log", "--policy", policy, says=[policy], status=2)
        fails(tmp_path, "monitor", "--once", "log", "--policy", policy, says=[policy], status=2)
    fails(tmp_path, "policy", "check", "missing", says=["missing"], status=2)
    fails(tmp_path, "policy", "check", "bad", says=["line 1"], status=1)
    fails(tmp_path, "log", "fsck", "nowhere", "--key", KEY.vkey, says=["no such folder"], status=2)
    fails(tmp_path, "monitor", "--once", "nowhere", "--key", KEY.vkey, says=["no such folder"], status=2)
    run(tmp_path, "log", "fsck", "log", "--key", OTHER.vkey, check=1)


def test_fsck_and_monitor_go_by_the_policy_that_verify_goes_by(tmp_path):
    LogFiles(tmp_path / "log", KEY).append([b"entry"]).publish()
    standard = tmp_path / "config/evident/policy"
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    commands = [["log", "fsck", "log"], ["monitor", "--once", "--any-entries", "log"]]
    for command in commands:
        fails(tmp_path, *command, says=["--key", "--policy", str(standard)], status=2, **config)
    standard.parent.mkdir(parents=True)
    standard.write_text("quorum none\n")
    for command in commands:
        fails(tmp_path, *command, says=[f"{standard} names none"], status=2, **config)
    standard.write_text(f"log {OTHER.vkey}\nquorum none\n")
    for command in commands:
        run(tmp_path, *command, "--state", "other", check=1, **config) if command[0] == "monitor" else run(
            tmp_path, *command, check=1, **config)
        run(tmp_path, *command, "--key", KEY.vkey, **config)
    standard.write_text(f"log {KEY.vkey}\nquorum none\n")
    assert f"policy  {standard}\n" in run(tmp_path, "log", "fsck", "log", **config).out
    assert json.loads(run(tmp_path, "log", "fsck", "log", "--json", **config).out)["policy"] == str(standard)
    run(tmp_path, *commands[1], **config)
    (tmp_path / "mine").write_text(f"log {OTHER.vkey}\nquorum none\n")
    assert "policy  mine\n" in run(tmp_path, "log", "fsck", "log", check=1, EVIDENT_POLICY="mine", **config).out


def test_keys_change_under_a_running_server(tmp_path):
    """Two rotations and a revocation while it runs are logged; it says that it signs with an old key."""
    def keys(*arguments, check=0):
        return run(tmp_path, "keys", *arguments, check=check)

    server = Server(tmp_path)
    try:
        receipt = ask(server.url)
        first = json.loads(keys("--json").out)["publicKey"]
        assert "started again" in keys("rotate").err
        second = json.loads(keys("--json").out)["publicKey"]
        keys("rotate")
        keys("revoke", first, "--reason", "changed")
        again = keys("revoke", first, check=1)
        assert "is revoked from" in again.err and "--from" in again.err
        keys("revoke", first, "--from", "2020-01-01T00:00:00Z")

        def history():
            found = json.loads(keys("--json").out)["history"]
            return found if all(item["logged"] for item in found) else None

        assert len(eventually("all of it is logged", history)) == 4
        assert "signs with the old one" in (tmp_path / "server.log").read_text()
        assert "is revoked" in (tmp_path / "server.log").read_text()
        # Evidence made before has what is known by now.
        assert len(logged(server.url, receipt)["keys"]) == 4
    finally:
        assert server.stop() == 0
    current = json.loads(keys("--json").out)["publicKey"]
    assert current not in (first, second)
    keys("revoke", current, "--final")
    ended = keys("rotate", check=1)
    assert f"{current} is revoked" in ended.err and "node.key" in ended.err and "key-history" in ended.err
    assert "changed" in keys().out and " on:" not in keys().out.replace(" on: changed", "")
    keys("revoke", first, "--from", "2019-01-01T00:00:00Z", "--reason", "two\nlines")
    assert "two\\u{a}lines (" in keys().out
