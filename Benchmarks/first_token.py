"""Time to first token and tokens/s of the embedded model, as a client of the running server sees them.

Usage: first_token.py path/to/evident
"""

import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time


def main():
    home = tempfile.mkdtemp()
    server = subprocess.Popen([sys.argv[1], "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=os.environ | {"HOME": home}, text=True)
    try:
        port = next(int(m.group(1)) for line in server.stdout if (m := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
        first, rate = [], []
        for number in range(30):
            body = json.dumps({
                "model": "evident-tiny", "stream": True, "temperature": 2, "seed": number, "max_tokens": 512,
                "logit_bias": {"2": -100, "0": -100}, "messages": [{"role": "user", "content": "What is Evident?"}],
                "stream_options": {"include_usage": True}})
            connection = http.client.HTTPConnection("127.0.0.1", port)
            start = time.perf_counter()
            connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            began = tokens = None
            for line in response:
                if line.startswith(b"data: {"):
                    event = json.loads(line[6:])
                    if began is None and event["choices"] and event["choices"][0]["delta"].get("content"):
                        began = time.perf_counter()
                    if event.get("usage"):
                        tokens = event["usage"]["completion_tokens"]
            first.append((began - start) * 1000)
            rate.append(tokens / (time.perf_counter() - start))
        for name, values in ("first token, ms", first), ("tokens/s, whole answer with evidence kept", rate):
            print(f"{name}: median {statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})")
    finally:
        server.terminate()
        server.wait()


main()
