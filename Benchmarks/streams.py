#!/usr/bin/env python3
"""What signed checkpoints cost a stream: the same answer with and without, in turns, over HTTP.

    python3 Benchmarks/streams.py .build/release/evident [--every 16 1] [--rounds 30] [--max-tokens 200]

starts a server with the embedded model, asks for the same stream plain and with a checkpoint every N tokens, and prints
medians of the ratio to the plain stream of the same round, and what a checkpoint adds to the bytes.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time


def stream(port, every, tokens, end):
    """(seconds, bytes, checkpoints) of one whole stream, which the model cannot end."""
    body = json.dumps({
        "model": "evident-tiny", "stream": True, "temperature": 1, "seed": 1, "max_tokens": tokens,
        "logit_bias": {str(t): -100 for t in end}, "messages": [{"role": "user", "content": "What is Evident?"}]})
    headers = {"Content-Type": "application/json"}
    if every:
        headers["X-Evident-Stream"] = f"signed; every={every}"
    connection = http.client.HTTPConnection("127.0.0.1", port)
    start = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    data = response.read()
    seconds = time.perf_counter() - start
    if response.status != 200:
        sys.exit(f"error: {data.decode()}")
    return seconds, len(data), data.count(b'"evident":{')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evident")
    parser.add_argument("--every", type=int, nargs="+", default=[16, 1])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--max-tokens", type=int, default=200)
    arguments = parser.parse_args()
    manifest = subprocess.run(
        [arguments.evident, "show", "evident-tiny", "--manifest"], check=True, capture_output=True).stdout
    end = json.loads(manifest)["tokens"]["endOfSequence"]
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [os.path.abspath(arguments.evident), "serve", "--port", "0"], stdout=subprocess.PIPE,
            env=os.environ | {"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home})
        try:
            port = int(re.search(rb"http://127\.0\.0\.1:(\d+)", server.stdout.readline()).group(1))
            times = {every: [] for every in [0, *arguments.every]}
            sizes = {}
            for round_ in range(arguments.rounds + 1):
                for every in times:
                    seconds, *sizes[every] = stream(port, every, arguments.max_tokens, end)
                    if round_ > 0:
                        times[every].append(seconds)
            for every, taken in times.items():
                ratio = statistics.median(a / b for a, b in zip(taken, times[0]))
                size, count = sizes[every]
                added = (size - sizes[0][0]) / count if count else 0
                print(
                    f"{f'every {every}' if every else 'plain':10} {statistics.median(taken) * 1000:7.1f} ms "
                    f"({ratio:.3f}x), {count} checkpoints of {added:.0f} bytes, {size} bytes in all")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
