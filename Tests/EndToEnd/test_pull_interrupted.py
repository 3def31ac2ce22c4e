"""`evident pull` cut, killed, stopped, slowed down: what has arrived is kept, and nothing half-written is seen."""

import json
import os
import pty
import random
import re
import signal
import subprocess
import time

import pytest

from conftest import BINARY, environment, run
from hub_server import Hub
from model_files import llama, tiny
from test_pull import BIG, SIZE, WEIGHTS, hub, leftovers, names, pull, pulled, refused, store  # noqa: F401

SEED = int(os.environ.get("EVIDENT_SEED", str(random.randrange(1 << 32))))
JOURNAL = WEIGHTS + ".part.json"


def start(home, hub, *arguments, **extra) -> subprocess.Popen:
    return subprocess.Popen(
        [str(BINARY), "pull", *arguments], env=environment(home, HF_ENDPOINT=hub.url, **extra), cwd=home,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def journalled(home) -> int:
    """Bytes of the weights that the journal says are there."""
    return sum(b - a for a, b in json.loads(next(store(home).glob(f"downloads/*/{JOURNAL}")).read_text())["have"])


def sound(home):
    """Nothing is broken, and nothing but downloads is left lying about."""
    done = run(home, "verify-model", "--all", check=None)
    assert done.returncode == 0 and "FAIL" not in done.out, done.out + done.err
    assert not [p for p in store(home).glob("*/.incoming-*")]


def test_cuts_cost_no_byte_twice(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.cuts[WEIGHTS] = [1_000_000, 0, 3_000_001, 70_000, 5_000_000, 12, 1]
    done = pull(tmp_path, hub, "org/big", "--retries", "3")
    assert hub.sent(WEIGHTS) == SIZE and not hub.faults.cuts[WEIGHTS]
    # Which connection meets which cut is chance: one that lies behind the end of a part cuts nothing.
    assert 4 <= done.err.count("trying again") <= 7 and 7 <= len(hub.requests(WEIGHTS)) <= 10
    sound(tmp_path)


def test_a_pull_that_gives_up_goes_on_later(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.cuts[WEIGHTS] = [2_000_000] + [0] * 20
    text = refused(tmp_path, hub, "org/big", "--retries", "1", "--connections", "1")
    assert "the connection to" in text and "goes on where it stopped" in text and names(tmp_path) == []
    assert journalled(tmp_path) == 2_000_000
    hub.faults.cuts.clear()
    outcome = pulled(tmp_path, hub, "org/big")
    assert hub.sent(WEIGHTS) == SIZE and outcome["bytesDownloaded"] == SIZE - 2_000_000
    assert not leftovers(tmp_path)


def test_killed_then_resumed(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.rate = 4_000_000
    process = start(tmp_path, hub, "org/big", "--connections", "3")
    until(lambda: hub.sent(WEIGHTS) > 6_000_000)
    process.kill()
    process.wait()
    process.communicate()
    assert names(tmp_path) == []
    sound(tmp_path)
    kept, before = journalled(tmp_path), hub.sent(WEIGHTS)
    # The journal is at most 0.2 s behind what three connections brought; twice that for a busy machine.
    assert before - 5_000_000 < kept <= before
    hub.faults.rate = None
    outcome = pulled(tmp_path, hub, "org/big")
    assert hub.sent(WEIGHTS) - before == SIZE - kept == outcome["bytesDownloaded"]
    sound(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_then_resumed(tmp_path, hub, number):
    hub.add("org/big", BIG)
    hub.faults.rate = 6_000_000
    process = start(tmp_path, hub, "org/big")
    until(lambda: hub.sent(WEIGHTS) > 4_000_000)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130 and b"hint: go on with: evident pull org/big" in errors, errors
    kept = journalled(tmp_path)
    assert kept > 3_000_000 and names(tmp_path) == []
    assert not list(store(tmp_path).rglob(".incoming-*"))
    hub.faults.rate = None
    hub.forget()
    assert pulled(tmp_path, hub, "org/big")["bytesDownloaded"] == SIZE - kept == hub.sent(WEIGHTS)


def test_another_version_starts_again(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.cuts[WEIGHTS] = [2_000_000] + [0] * 9
    refused(tmp_path, hub, "org/big", "--retries", "0", "--connections", "1")
    assert journalled(tmp_path) == 2_000_000
    hub.faults.cuts.clear()
    hub.faults.etags[WEIGHTS] = "another"
    hub.forget()
    pulled(tmp_path, hub, "org/big")
    # Everything but the first answer's beginning, which only showed that it is another version.
    assert {s.range for s in hub.requests(WEIGHTS)} >= {"bytes=0-8388607", "bytes=8388608-16777215"}
    assert hub.sent(WEIGHTS) >= SIZE
    sound(tmp_path)


def test_what_was_lost_behind_our_back_is_fetched_again(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.cuts[WEIGHTS] = [3_000_000] + [0] * 9
    refused(tmp_path, hub, "org/big", "--retries", "0", "--connections", "1")
    part = next(store(tmp_path).glob(f"downloads/*/{WEIGHTS}.part"))
    with open(part, "r+b") as file:
        file.seek(1_000_000)
        file.write(bytes(4096))
    hub.faults.cuts.clear()
    hub.forget()
    # The digest shows it only at the end; then all of it comes anew, once.
    pulled(tmp_path, hub, "org/big")
    assert hub.sent(WEIGHTS) == SIZE - 3_000_000 + SIZE
    # A journal that lies about bytes which are not there is no journal.
    run(tmp_path, "rm", "big")
    hub.faults.cuts[WEIGHTS] = [3_000_000] + [0] * 9
    refused(tmp_path, hub, "org/big", "--retries", "0", "--connections", "1")
    os.truncate(part, 1000)
    hub.faults.cuts.clear()
    hub.forget()
    pulled(tmp_path, hub, "org/big")
    assert hub.sent(WEIGHTS) == SIZE


def test_a_server_without_ranges(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.ranges = False
    hub.faults.cuts[WEIGHTS] = [9_000_000]
    pulled(tmp_path, hub, "org/big")
    # Nobody can ask for the rest of it: it comes again from the start, over one connection.
    assert hub.sent(WEIGHTS) == 9_000_000 + SIZE and len(hub.requests(WEIGHTS)) == 2
    sound(tmp_path)


def test_a_slow_link_is_not_a_broken_one(tmp_path, hub):
    hub.add("org/m", llama(1.5))
    hub.faults.rate = 600_000
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [str(BINARY), "pull", "org/m"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=secondary, cwd=tmp_path,
        env=environment(tmp_path, HF_ENDPOINT=hub.url, HF_HUB_DOWNLOAD_TIMEOUT="1"))
    os.close(secondary)
    seen = b""
    while True:
        try:
            if not (piece := os.read(primary, 4096)):
                break
        except OSError:
            break
        seen += piece
    os.close(primary)
    assert process.wait(20) == 0, seen
    text = seen.decode()
    # A bar with a share, the amounts, the rate and the seconds that are left.
    assert re.search(r"pulling \d+% ▕[█ ]{20}▏ [\d.]+ [kM]B/1\.\d MB [\d.]+ [kM]B/s \d+s", text), text
    assert "trying again" not in text


def test_silence_is_a_broken_link(tmp_path, hub):
    hub.add("org/m", llama(1.5))
    hub.faults.stall[WEIGHTS] = 700_000
    begun = time.monotonic()
    text = refused(tmp_path, hub, "org/m", "--retries", "0", HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert "no byte came for 1 s" in text and time.monotonic() - begun < 10
    assert journalled(tmp_path) == 700_000
    hub.faults.stall.clear()
    pulled(tmp_path, hub, "org/m")


def test_two_pulls_at_once_fetch_once(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.rate = 10_000_000
    processes = [start(tmp_path, hub, "org/big", "--json", "--name", f"n{i}") for i in range(3)]
    results = [(p.communicate(timeout=60), p.returncode) for p in processes]
    assert [code for _, code in results] == [0, 0, 0], results
    outcomes = [json.loads(out) for (out, _), _ in results]
    assert hub.sent(WEIGHTS) == SIZE and sorted(o["present"] for o in outcomes) == [False, True, True]
    assert sum(b"waiting for it" in errors for (_, errors), _ in results) == 2
    assert len({o["digest"] for o in outcomes}) == 1 and sorted(names(tmp_path)) == ["n0", "n1", "n2"]
    sound(tmp_path)


def test_waiting_can_be_stopped(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.rate = 2_000_000
    first = start(tmp_path, hub, "org/big")
    until(lambda: hub.sent(WEIGHTS) > 0)
    second = start(tmp_path, hub, "org/big")
    assert b"waiting for it" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    assert second.wait(5) == 130
    second.communicate()
    first.send_signal(signal.SIGINT)
    first.communicate()
    assert first.returncode == 130


def test_abandoned_downloads_can_be_removed(tmp_path, hub):
    hub.add("org/big", BIG)
    hub.faults.cuts[WEIGHTS] = [2_000_000] + [0] * 9
    refused(tmp_path, hub, "org/big", "--retries", "0", "--connections", "1")
    assert leftovers(tmp_path)
    freed = json.loads(run(tmp_path, "rm", "--downloads", "--json").out)["bytes"]
    assert freed >= 2_000_000 and not leftovers(tmp_path)


def test_killed_at_any_instant(tmp_path, hub):
    """Downloading, hashing, converting, renaming: whatever kill -9 hits, the store is sound."""
    print(f"EVIDENT_SEED={SEED}")
    rng = random.Random(SEED)
    hub.add("org/kept", tiny())
    pulled(tmp_path, hub, "org/kept")
    hub.add("org/m", llama(4, card=False))
    begun = time.monotonic()
    pulled(tmp_path, hub, "org/m")
    whole = time.monotonic() - begun
    killed = 0
    for _ in range(12):
        run(tmp_path, "rm", "m", check=None)
        process = start(tmp_path, hub, "org/m", "--retries", "0")
        time.sleep(rng.uniform(0.1, 1.0) * whole)
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        sound(tmp_path)
        assert "kept" in names(tmp_path)
    assert killed >= 3
    # The last death may have left a whole model beside its files, which a pull that finds it leaves as --keep would.
    run(tmp_path, "rm", "m", check=None)
    pulled(tmp_path, hub, "org/m")
    sound(tmp_path)
    assert not leftovers(tmp_path)
