#!/usr/bin/env python3
"""What checking one evidence file costs as a whole process: wall clock and processor time, medians.

    python3 Benchmarks/verify.py --evident dist/evident [--runs 60]
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

from log import answers


def measure(command, runs):
    wall, processor = [], []
    for _ in range(runs):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [f"{statistics.median(times) * 1000:.1f} ms ({min(times) * 1000:.1f}–{max(times) * 1000:.1f})"
            for times in (wall, processor)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evident", default=".build/release/evident")
    parser.add_argument("--runs", type=int, default=60)
    arguments = parser.parse_args()
    evident = os.path.abspath(arguments.evident)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        answers(evident, folder, 1)
        evidence, policy = folder / "answer.evidence.json", folder / "policy"
        print("| | wall clock | processor |\n| --- | --- | --- |")
        for what, command in {
            "every check, `logged` required": ["verify", "--policy", policy, "--require-level", "logged", evidence],
            "signature, inclusion, quorum, time": ["policy", "check", policy, evidence],
            "nothing (`--version`)": ["--version"],
        }.items():
            wall, processor = measure([evident, *map(str, command)], arguments.runs)
            print(f"| {what} | {wall} | {processor} |", flush=True)


main()
