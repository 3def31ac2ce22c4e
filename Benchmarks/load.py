#!/usr/bin/env python3
"""Puts load on a running server and prints what its clients see.

    python=$(scripts/python.sh gguf Reference/gguf/requirements.txt)
    $python Benchmarks/load.py --evident .build/release/evident --shape SmolLM2-135M

makes a model of that shape with random weights, imports and serves it, and lets 1, 4, 16 and 64 clients at a time each
stream answers over HTTP. Every prompt begins differently, so that none is found computed already. Evidence is the share
of the answers' time that making, signing and keeping it takes. Memory is the largest resident set of the server so far.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from checkpoint import make_safetensors
from shapes import SHAPES


async def answer(port, body):
    """(seconds to the first token, seconds in all, gaps between chunks, tokens) of one streamed answer."""
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    text = json.dumps(body).encode()
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
    times, usage, status = [], None, await reader.readline()
    if b" 200 " not in status:
        sys.exit(f"error: {status.decode()}{(await reader.read()).decode()}")
    async for line in reader:
        if line.startswith(b"data: {"):
            if b'"content":"' in line and b'"content":""' not in line:
                times.append(time.perf_counter())
            if b'"usage":{' in line:
                usage = json.loads(line[6:])["usage"]
    writer.close()
    gaps = [b - a for a, b in zip(times, times[1:])]
    return times[0] - start, time.perf_counter() - start, gaps, usage["completion_tokens"]


def prompt(words):
    draw = random.Random(os.urandom(8))
    return " ".join("".join(draw.choice("etaoinshrdlu") for _ in range(draw.randint(2, 8))) for _ in range(words))


async def load(port, model, concurrency, arguments, bias):
    """Answers from `concurrency` clients at a time, each with the next request as soon as one is done."""
    left = max(arguments.requests, concurrency * 2)
    results = []

    async def client():
        nonlocal left
        while left > 0:
            left -= 1
            results.append(await answer(port, {
                "model": model, "stream": True, "temperature": 1, "max_tokens": arguments.tokens, "logit_bias": bias,
                "stream_options": {"include_usage": True},
                "messages": [{"role": "user", "content": prompt(arguments.words)}]}))

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    return results, time.perf_counter() - start


def evidence_seconds(port):
    """What the server has spent on evidence so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        text = response.read().decode()
    return int(re.search(r"^evident_evidence_microseconds_total (\d+)$", text, re.MULTILINE)[1]) / 1e6


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def peak(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024


def measure(arguments, folder):
    evident = str(pathlib.Path(arguments.evident).resolve())
    environment = {**os.environ, "HOME": str(folder), "EVIDENT_MODELS": str(folder / "models")}
    make_safetensors(folder / "hf", SHAPES[arguments.shape], context=4096)
    subprocess.run(
        [evident, "import", folder / "hf", "--name", "m", "--weights", arguments.weights], env=environment, check=True,
        stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "hf")
    server = subprocess.Popen(
        [evident, "serve", "m", "--port", "0", *arguments.serve], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        port = next(int(m[1]) for line in server.stdout if (m := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
        # The end of an answer would come by chance; forbidden, every answer has the same length.
        bias = {str(SHAPES[arguments.shape]["vocab"] - 1): -100}
        asyncio.run(load(port, "m", 1, argparse.Namespace(requests=2, tokens=8, words=8), bias))
        print(f"{arguments.shape}, {arguments.weights}, answers of {arguments.tokens} tokens to prompts of "
              f"{arguments.words} words\n")
        print("| clients | answers | tokens/s | against one | first token p50 | p99 | between tokens p50 | p99 | evidence | memory |")
        print("| --- " * 10 + "|")
        alone = None
        for concurrency in arguments.clients:
            before = evidence_seconds(port)
            results, seconds = asyncio.run(load(port, "m", concurrency, arguments, bias))
            rate = sum(r[3] for r in results) / seconds
            alone = alone or rate
            evidence = (evidence_seconds(port) - before) / sum(r[1] for r in results)
            first, gaps = [r[0] * 1000 for r in results], [gap * 1000 for r in results for gap in r[2]]
            print(f"| {concurrency} | {len(results)} | {rate:.0f} | {rate / alone:.1f}× | {statistics.median(first):.0f} ms "
                  f"| {quantile(first, 0.99):.0f} ms | {statistics.median(gaps):.1f} ms | {quantile(gaps, 0.99):.1f} ms "
                  f"| {evidence * 100:.2f} % "
                  f"| {peak(server.pid):.0f} MiB |", flush=True)
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evident", default=".build/release/evident")
    parser.add_argument("--shape", default="SmolLM2-135M", choices=list(SHAPES))
    parser.add_argument("--weights", default="8bit", choices=["4bit", "8bit"])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--requests", type=int, default=24, help="answers per row, at least two per client")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--words", type=int, default=24)
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="further arguments of evident serve")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="evident-load-"))
    try:
        measure(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
