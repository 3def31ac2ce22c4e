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


def measure(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def cell(values):
    return f"{statistics.median(values):8.1f} ({min(values):.1f}–{max(values):.1f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--evident", required=True)
    parser.add_argument("--shapes", nargs="*", default=["SmolLM2-135M"], choices=list(SHAPES))
    parser.add_argument("--weights", default="8bit", choices=["8bit", "4bit"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prefill", nargs="*", default=["128", "512"])
    parser.add_argument("--decode-at", nargs="*", default=["128"])
    parser.add_argument("--replay", default="256")
    arguments = parser.parse_args()
    theirs_format = {"8bit": "Q8_0", "4bit": "Q4_0"}[arguments.weights]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "evident" / "benchmarks"

    for shape in arguments.shapes:
        ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
        for number in range(arguments.rounds):
            print(f"{shape}: round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for line in measure([
                arguments.evident, "bench", "--shape", shape, "--weights", arguments.weights, "--json", "--repetitions", "1",
                "--threads",
                str(arguments.threads), "--replay", arguments.replay, "--prefill", *arguments.prefill, "--decode-at",
                *arguments.decode_at,
            ]):
                ours[line["what"]].append(line.get("tokensPerSecond", line.get("shareOfProducing", line.get("bytes"))))
            for flash in ([], ["--flash-attention"]):
                for line in measure([
                    sys.executable, str(HERE / "llama_cpp_bench.py"), shape, theirs_format, "--threads",
                    str(arguments.threads), "--cache", str(cache), *flash, "--prefill", *arguments.prefill,
                    "--decode-at", *arguments.decode_at,
                ]):
                    theirs[line["what"], bool(flash)].append(line["tokensPerSecond"])
        print(f"\n{shape}, {arguments.weights}, {arguments.threads} threads, {arguments.rounds} rounds; tokens/s, median (min–max)\n")
        print(f"| | Evident | llama.cpp {theirs_format}, the faster of flash attention on and off | ratio |")
        print("| --- | --- | --- | --- |")
        for what, values in ours.items():
            best = max((v for (w, _), v in theirs.items() if w == what), key=statistics.median, default=None)
            if best:
                print(f"| {what} | {cell(values)} | {cell(best)} | {statistics.median(values) / statistics.median(best):.2f}× |")
        for what, values in ours.items():
            if what.startswith("replay"):
                print(f"| {what} tokens, as a share of producing them | {statistics.median(values):.3f} | | |")
            if what.startswith("peak"):
                print(f"| {what} | {statistics.median(values) / 1e6:.0f} MB | | |")


main()
