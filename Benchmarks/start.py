#!/usr/bin/env python3
"""From starting the program to the first token, with the model's files in the page cache:

    python=$(scripts/python.sh gguf Reference/gguf/requirements.txt)
    $python Benchmarks/start.py --evident .build/release/evident

makes a model of Llama 3.2 1B's shape with random weights (2.5 GB for a while), imports it, and starts `evident serve`
several times. The clock runs from the start of the process until the first token has come over HTTP.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from checkpoint import make_safetensors
from shapes import SHAPES


def first_token(evident, environment):
    """Seconds until the server listens, and until the first token."""
    start = time.perf_counter()
    server = subprocess.Popen(
        [evident, "serve", "m", "--port", "0"], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        port = next(int(m[1]) for line in server.stdout if (m := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
        listens = time.perf_counter() - start
        connection = http.client.HTTPConnection("127.0.0.1", port)
        body = {"model": "m", "stream": True, "max_tokens": 4, "prompt": "Once upon a time"}
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        for line in connection.getresponse():
            if line.startswith(b"data: {") and b'"text":""' not in line:
                return listens, time.perf_counter() - start
        raise SystemExit("error: the server sent no token")
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evident", default=".build/release/evident")
    parser.add_argument("--shape", default="Llama-3.2-1B", choices=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    evident = str(pathlib.Path(arguments.evident).resolve())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="evident-start-"))
    environment = {**os.environ, "HOME": str(folder), "EVIDENT_MODELS": str(folder / "models")}
    try:
        make_safetensors(folder / "hf", SHAPES[arguments.shape], context=4096)
        subprocess.run(
            [evident, "import", folder / "hf", "--name", "m"], env=environment, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder / "hf")
        found = [first_token(evident, environment) for _ in range(arguments.rounds)]
        for name, values in zip(("listens", "first token"), zip(*found)):
            print(f"{arguments.shape}, {name}: {statistics.median(values):.2f} s ({min(values):.2f}–{max(values):.2f})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
