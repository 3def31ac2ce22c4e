#!/usr/bin/env python3
"""A public log of a million entries: throughput, proofs, memory, bytes on disk, and the way from an answer to its proof.

    scripts/need.sh wrk
    $(scripts/python.sh api Tests/EndToEnd/requirements.txt) Benchmarks/log.py --evident .build/release/evident \\
      [--entries 1000000] [--folder /tmp/log-bench]

A folder that has such a log already is used again. The load is made on the same machine, on the same processors: proofs
are asked for by this program, statements posted by wrk.
"""

import argparse
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time


def shares(seconds):
    ordered = sorted(seconds)
    return f"p50 {statistics.median(ordered) * 1000:.2f} ms  p99 {ordered[int(len(ordered) * 0.99)] * 1000:.2f} ms"


def disk(folder):
    """Bytes by kind, as the files say and as the disk counts."""
    kinds = {}
    for path in folder.rglob("*"):
        if path.is_file():
            parts = path.relative_to(folder).parts
            kind = "bundles" if parts[:2] == ("tile", "entries") else "tiles" if parts[0] == "tile" else \
                "index" if parts[0].startswith(".index") else "others"
            size, blocks = kinds.get(kind, (0, 0))
            kinds[kind] = (size + path.stat().st_size, blocks + path.stat().st_blocks * 512)
    return kinds


def peak(process):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


class Program:
    def __init__(self, evident, home, *arguments):
        home.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("EVIDENT_", "XDG_"))}
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [evident, *arguments], env={**environment, "HOME": str(home)}, text=True, stdout=subprocess.PIPE)
        self.lines = []
        while not (self.lines and (match := re.search(r"http://127\.0\.0\.1:(\d+)", self.lines[-1]))):
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"error: {arguments} did not start")
            self.lines.append(line)
        self.seconds = time.perf_counter() - start
        self.port = int(match[1])

    def stop(self):
        self.process.terminate()
        self.process.communicate()


def leaves(folder, entries, count):
    chosen = random.Random(1).sample(range(entries // 256 * 256), count)
    for number in chosen:
        tile = f"{number // 256:03d}"
        tile = tile if len(tile) == 3 else "/".join(
            ["x" + f"{number // 256:06d}"[:3], f"{number // 256:06d}"[3:]])
        with open(folder / "tile/0" / tile, "rb") as file:
            file.seek(number % 256 * 32)
            yield file.read(32).hex()


def statements(folder, count):
    """As large as those that are logged, each signed by a node and none twice."""
    sys.path.append(str(pathlib.Path(__file__).parent.parent / "Tests/EndToEnd"))
    from log_files import Node, entries
    statement = json.loads(base64.b64decode(json.loads(entries(folder, 256)[0])["payload"]))
    node, predicate, start = Node(3), statement["predicate"], int(time.time()) << 32
    predicate["node"]["publicKey"] = node.public.hex()
    for number in range(count):
        predicate["receiptId"] = f"rcpt-{start + number:032x}"
        yield node.sign(statement)


def posts(port, log, folder, connections, seconds):
    """Posts statements as fast as they are answered, and counts by the log's own number of durable entries."""
    with open(folder / "statements", "wb") as file:
        for statement in statements(log, seconds * 20_000):
            file.write(statement + b"\n")
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def size():
        connection.request("GET", "/metrics")
        return int(re.search(rb"^evident_log_entries (\d+)", connection.getresponse().read(), re.M)[1])

    before, start = size(), time.perf_counter()
    script = pathlib.Path(__file__).parent / "post.lua"
    done = subprocess.run(
        ["wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s", "-s", script,
         f"http://127.0.0.1:{port}", "--", folder / "statements", "2"], capture_output=True, text=True, check=True)
    rate = re.search(r"Requests/sec: +([\d.]+)", done.stdout)[1]
    print(f"{connections} connections       {float(rate):,.0f} entries/s, {size() - before} durable after"
          f" {time.perf_counter() - start:.1f} s; " + re.search(r"answer p50.*", done.stdout)[0])


def proofs(port, chosen):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for leaf in chosen:
        start = time.perf_counter()
        connection.request("GET", f"/proof/{leaf}")
        response = connection.getresponse()
        body = response.read()
        times.append(time.perf_counter() - start)
        assert response.status == 200 and body.startswith(b"c2sp.org/tlog-proof@v1\n"), body
    return times


def answers(evident, folder, count):
    """From an answer to evidence with a proof that two of three witnesses stand behind."""
    home = folder / "node"
    home.mkdir(parents=True)
    key = subprocess.run(
        [evident, "log", "key"], env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, check=True)
    vkey, programs, lines = key.stdout.strip(), [], [f"log {key.stdout.strip()}"]
    for i in range(3):
        witness = Program(
            evident, folder / f"w{i}", "witness", "--name", f"witness.example/w{i}", "--log", vkey, "--port", "0")
        programs.append(witness)
        cosigner = re.search(r"witness NAME (\S+)", witness.process.stdout.readline())[1]
        lines.append(f"witness w{i} {cosigner} http://127.0.0.1:{witness.port}")
    (folder / "policy").write_text("\n".join(lines + ["group g 2 w0 w1 w2", "quorum g", ""]))
    server = Program(evident, home, "serve", "--port", "0", "--log-policy", str(folder / "policy"))
    programs.append(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    times = []
    body = json.dumps({"model": "evident-tiny", "max_tokens": 8, "messages": [{"role": "user", "content": "Hello!"}]})
    for _ in range(count):
        asked = http.client.HTTPConnection("127.0.0.1", server.port)
        asked.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        receipt = json.loads(asked.getresponse().read())["receipt"]["id"]
        start = time.perf_counter()
        while True:
            connection.request("GET", f"/v1/receipts/{receipt}")
            response = connection.getresponse()
            evidence = response.read()
            if response.headers["Evident-Log"] == "logged":
                break
            time.sleep(0.005)
        times.append(time.perf_counter() - start)
        assert evidence.decode().count("witness.example/") >= 2
        (folder / "answer.evidence.json").write_bytes(evidence)
        time.sleep(random.random() * 0.4)
    for program in reversed(programs):
        program.stop()
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evident", default=".build/release/evident")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--folder", type=pathlib.Path)
    arguments = parser.parse_args()
    evident = str(pathlib.Path(arguments.evident).resolve())
    folder = arguments.folder or pathlib.Path(tempfile.mkdtemp(prefix="evident-log-"))
    folder.mkdir(parents=True, exist_ok=True)
    log, key = folder / "log", folder / "log.key"
    environment = {**os.environ, "HOME": str(folder)}

    if not log.exists():
        print(f"== {arguments.entries} entries, the service in one process", flush=True)
        subprocess.run(
            [evident, "log", "bench", "--dir", log, "--key", key, "--entries", str(arguments.entries)],
            env=environment, check=True)
    for kind, (size, blocks) in sorted(disk(log).items()):
        print(f"{kind:8} {size / arguments.entries:8.1f} bytes an entry, {blocks / arguments.entries:8.1f} on disk")

    serve = ("log", "serve", "--dir", str(log), "--key", str(key), "--listen", "127.0.0.1:0", "--rate", "0")
    server = Program(evident, folder, *serve)
    print(f"== served: listens after {server.seconds:.2f} s, {peak(server.process):.0f} MiB")
    chosen = list(leaves(log, arguments.entries, 8000))
    proofs(server.port, chosen[:500])
    print("proofs, one client     ", shares(proofs(server.port, chosen[500:4000])))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        parts = pool.map(lambda i: proofs(server.port, chosen[4000 + i::4]), range(4))
        print("proofs, four clients   ", shares([t for part in parts for t in part]))
    print(f"peak memory             {peak(server.process):.0f} MiB", flush=True)
    print("== posted over HTTP", flush=True)
    for connections in (500, 1000):
        posts(server.port, log, folder, connections, 6)
    print(f"peak memory             {peak(server.process):.0f} MiB", flush=True)
    server.stop()

    if arguments.answers:
        print("== from the answer to the proof, three witnesses, two needed", flush=True)
        with tempfile.TemporaryDirectory(prefix="evident-answers-") as path:
            print("answer to proof        ", shares(answers(evident, pathlib.Path(path), arguments.answers)))


if __name__ == "__main__":
    main()
