"""A log that shows two histories: what the losing one is worth, and looking receipts up."""

import json
import re
import shutil

from conftest import run
from test_log import Process, ask, eventually, logged
from test_witness import Witness, policy_text

import httpx


ORIGIN = "log.example/forked"


def serve(home, *arguments):
    return Process(home, "serve", "--port", "0", "--log-origin", ORIGIN, *arguments)


def evidence(server, receipt, path):
    logged(server.url, receipt)
    path.write_bytes(httpx.get(f"{server.url}/v1/receipts/{receipt}").content)
    return str(path)


def test_the_losing_branch_says_why(tmp_path):
    (tmp_path / "a").mkdir()
    vkey = run(tmp_path / "a", "log", "key", "--origin", ORIGIN).out.strip()
    witnesses = [Witness(tmp_path, f"w{i}", vkey) for i in (1, 2, 3)]
    running = list(witnesses)
    try:
        policy = tmp_path / "policy"
        policy.write_text(policy_text(vkey, witnesses))
        winner = serve(tmp_path / "a", "--log-policy", str(policy))
        running.append(winner)
        logged(winner.url, ask(winner.url))
        assert winner.stop() == 0
        # The operator goes on twice from here, with the same keys.
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        winner = serve(tmp_path / "a", "--log-policy", str(policy))
        running.append(winner)
        good = evidence(winner, ask(winner.url), tmp_path / "good.json")

        loser = serve(tmp_path / "b", "--log-policy", str(policy))
        running.append(loser)
        receipt = ask(loser.url)

        def reason():
            state = httpx.get(f"{loser.url}/v1/receipts/{receipt}").headers["evident-log"]
            assert state.startswith("pending"), state
            return state if re.search(r"quorum|cosign|witness", state) else None

        eventually("no witness refuses the second history", reason)
        assert loser.stop() == 0
        # So he publishes it without them.
        loser = serve(tmp_path / "b")
        running.append(loser)
        bad = evidence(loser, receipt, tmp_path / "bad.json")

        verify = ["verify", "--policy", str(policy), "--require-level", "logged"]
        assert "VERIFIED" in run(tmp_path, *verify, good).out
        done = run(tmp_path, *verify, bad, check=None)
        assert done.returncode != 0 and "VERIFIED" not in done.out
        quorum = re.search(r"witness quorum +(.*)", done.out).group(1)
        assert all(name in quorum for name in ("q", "w1", "w2", "w3")), quorum

        # Looked up in the history that everyone else sees.
        found = run(tmp_path, *verify, "--log", winner.url + "/log", good).out
        assert re.search(r"PASS promise +looked up: the receipt is entry 1 of", found), found
        missing = run(tmp_path, "verify", "--policy", str(policy), "--log", winner.url + "/log", bad, check=None).out
        assert re.search(r"FAIL promise +the log \S+ shows two histories", missing), missing
        watched = run(tmp_path, "monitor", "--once", winner.url + "/log", "--policy", str(policy), "--receipt", bad, check=1)
        assert [x["alarm"] for x in map(json.loads, watched.out.splitlines()) if "alarm" in x] == ["fork"], watched.out
        unreachable = run(tmp_path, "verify", "--log", "http://127.0.0.1:9/log", good, check=2)
        assert "http://127.0.0.1:9/log" in unreachable.err and "the log could not be looked through" in unreachable.out
        assert "NOT CHECKED" in unreachable.out
        # A folder is a log, too; a damaged one is not looked through.
        folder = next(path.parent for path in (tmp_path / "a").rglob("checkpoint"))
        assert "looked up" in run(tmp_path, *verify, "--log", str(folder), good).out
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        tile = next((copy / "tile" / "0").rglob("*.p/2"))
        tile.write_bytes(tile.read_bytes()[:32] + bytes(32))
        assert "do not add up" in run(tmp_path, *verify, "--log", str(copy), good, check=2).err
    finally:
        for process in running:
            if process.process.poll() is None:
                process.kill()
