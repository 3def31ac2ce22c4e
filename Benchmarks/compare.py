"""Runs both programs in turn, several rounds, and prints medians, ranges and ratios."""

import argparse
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys

from shapes import SHAPES

HERE = pathlib.Path(__file__).parent
# What both run in so many bits; for each figure the faster one of llama.cpp counts. Q4_0_pure has every matrix in
# 4 bits, the tied head too; llama.cpp's own quantiser leaves the head in 6 or 8 bits.
OURS = {
    "8bit": ["--weights", "8bit"],
    "4bit": ["--weights", "4bit", "--head", "4bit"],
    "4bit-head8": ["--weights", "4bit"],
}
THEIRS = {"8bit": ["Q8_0"], "4bit": ["Q4_0_pure", "Q4_0", "Q4_K_M"], "4bit-head8": ["Q4_0", "Q4_K_M"]}


def measure(command):
    """The JSON lines that a benchmark prints: what → (value, unit)."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            figure = json.loads(line)
            unit = next(key for key in figure if key != "what")
            yield figure["what"], figure[unit]


def cell(values, unit=""):
    return f"{statistics.median(values):.0f}{unit} ({min(values):.0f}–{max(values):.0f})"


def run(shape, weights, threads, arguments, cache):
    """Prints the table of one shape in one format."""
    ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
    lengths = ["--prefill", *arguments.prefill, "--decode-at", *arguments.decode_at, "--threads", str(threads)]
    for number in range(arguments.rounds):
        print(f"{shape}, {weights}, {threads} threads: round {number + 1} of {arguments.rounds}", file=sys.stderr)
        for what, value in measure([
            arguments.evident, "bench", "--shape", shape, *OURS[weights], "--json", "--repetitions", "1",
            "--replay", arguments.replay, *lengths,
        ]):
            ours[what].append(value)
        for format in THEIRS[weights]:
            for flash in ([], ["--flash-attention"]):
                for what, value in measure([
                    sys.executable, HERE / "llama_cpp_bench.py", shape, format, "--cache", cache, *flash, *lengths,
                ]):
                    theirs[what, format + (" flash" if flash else "")].append(value)
    print(f"\n{shape}, {weights}, {threads} threads, {arguments.rounds} rounds; tokens/s, median (min–max)\n")
    print("| | Evident | llama.cpp at its best | ratio |\n| --- | --- | --- | --- |")
    for what, values in ours.items():
        if what.startswith("replay"):
            print(f"| {what} tokens, as a share of producing them | {statistics.median(values):.3f} | | |")
            continue
        smaller = what.startswith("peak")
        if smaller:
            values = [value / 1e6 for value in values]
        rivals = {name: found for (w, name), found in theirs.items() if w == what}
        best = (min if smaller else max)(rivals, key=lambda name: statistics.median(rivals[name]))
        found = [value / 1e6 for value in rivals[best]] if smaller else rivals[best]
        ratio = statistics.median(values) / statistics.median(found)
        unit = " MB" if smaller else ""
        print(f"| {what} | {cell(values, unit)} | {cell(found, unit)} {best} | {ratio:.2f}× |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evident", required=True)
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--weights", nargs="*", default=list(THEIRS), choices=list(THEIRS))
    parser.add_argument("--threads", type=int, nargs="*", default=[2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prefill", nargs="*", default=["512", "2048"])
    parser.add_argument("--decode-at", nargs="*", default=["128", "1024"])
    parser.add_argument("--replay", default="256")
    arguments = parser.parse_args()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "evident" / "benchmarks"
    for threads in arguments.threads:
        for weights in arguments.weights:
            for shape in arguments.shapes:
                run(shape, weights, threads, arguments, cache)


main()
