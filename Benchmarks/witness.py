#!/usr/bin/env python3
"""What a witness carries: checkpoints cosigned a second, over HTTP, from logs that all grow; each is durable first.

    $(scripts/python.sh api Tests/EndToEnd/requirements.txt) Benchmarks/witness.py .build/release/evident [--logs 64]

Every connection is a log's sequencer with logs of its own. The disk's own pace, writing and syncing a small file and its
folder, is measured in between: no witness that keeps its promise can be faster on one connection.
"""

import argparse
import concurrent.futures
import http.client
import os
import pathlib
import statistics
import sys
import tempfile
import time

from log import Program, peak, shares

sys.path.append(str(pathlib.Path(__file__).parent.parent / "Tests/EndToEnd"))
from log_files import Key, LogFiles  # noqa: E402


def history(folder, number, rounds):
    """A log's requests as it grows: from thousands of entries on, so that proofs have a usual length."""
    log, bodies = LogFiles(folder, Key(f"log.example/{number}", number)), []
    log.append([b"entry %d" % i for i in range(2000)])
    bodies.append(log.add_checkpoint(0))
    for i in range(rounds):
        old = log.size
        log.append([b"more %d %d" % (i, k) for k in range(16)])
        bodies.append(log.add_checkpoint(old))
    return log.key.vkey, bodies


def ask(port, queues):
    """One connection: the next request of each of its logs in turn."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for bodies in zip(*queues):
        for body in bodies:
            start = time.perf_counter()
            connection.request("POST", "/add-checkpoint", body)
            response = connection.getresponse()
            answer = response.read()
            times.append(time.perf_counter() - start)
            assert response.status == 200, (response.status, answer)
    return times


def disk(folder, count):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        with open(folder / "file.new", "wb") as file:
            file.write(b"x" * 700)
            file.flush()
            os.fsync(file.fileno())
        os.rename(folder / "file.new", folder / "file")
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        times.append(time.perf_counter() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evident")
    parser.add_argument("--logs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10, help="checkpoints of each log, for each row")
    arguments = parser.parse_args()
    widths = [1, 4, 16]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        histories = [history(folder / f"log{i}", i, arguments.rounds * len(widths)) for i in range(arguments.logs)]
        logs = [word for vkey, _ in histories for word in ("--log", vkey)]
        witness = Program(os.path.abspath(arguments.evident), folder / "w", "witness", "--name", "witness.example/w",
                          "--port", "0", *logs)
        ask(witness.port, [[bodies[0]] for _, bodies in histories])
        print("| connections | checkpoints/s | a checkpoint | a file and its folder, synced |\n| --- | --- | --- | --- |")
        for row, width in enumerate(widths):
            first = 1 + row * arguments.rounds
            queues = [bodies[first:first + arguments.rounds] for _, bodies in histories]
            floor = disk(folder, 100)
            start = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(width) as pool:
                times = sum(pool.map(lambda i: ask(witness.port, queues[i::width]), range(width)), [])
            rate = len(times) / (time.perf_counter() - start)
            print(f"| {width} | {rate:,.0f} | {shares(times)} | {statistics.median(floor) * 1000:.2f} ms |", flush=True)
        print(f"\n{arguments.logs} logs, {peak(witness.process):.0f} MiB at most")
        witness.stop()


main()
