"""The product as a process: one answer at a time, as evidence files."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("EVIDENT_BINARY", ROOT / ".build" / "release" / "evident"))
PACK = ROOT / "Sources" / "CEmbeddedModel" / "evident-tiny.pack"
MODEL = "evident-tiny"


def environment(home):
    """Nothing of the caller's configuration reaches the binary."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVIDENT_", "XDG_"))}
    return {**kept, "HOME": str(home), "NO_COLOR": "1"}


def run(home, prompt, flags):
    """`evident run`: the bytes of the evidence file."""
    path = home / "run.evidence.json"
    path.unlink(missing_ok=True)
    command = [BINARY, "run", "--json", "--evidence", path, *flags, MODEL, prompt]
    done = subprocess.run(
        command, env=environment(home), cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


class Process:
    """`evident` with some arguments, until it prints where it listens on the loopback interface."""

    def __init__(self, home, *arguments):
        home.mkdir(exist_ok=True)
        self._log = open(home / "server.log", "w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [BINARY, *arguments],
            env=environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.address = self.printed(r"http://127\.0\.0\.1:\d+")

    def printed(self, pattern):
        """What it prints that fits the pattern: the last group, or all of it."""
        log, deadline = Path(self._log.name), time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(pattern, log.read_text()):
                return found[found.re.groups]
            time.sleep(0.02)
        self._process.kill()
        raise AssertionError(f"it did not start: {log.read_text()}")

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._log.close()


class Server(Process):
    """`evident serve` on a free port."""

    def __init__(self, home, *flags):
        super().__init__(home, "serve", "--port", "0", *flags)

    def post(self, path, body, **headers):
        """The answer's bytes and the ID of its receipt."""
        request = urllib.request.Request(
            self.address + path,
            json.dumps({"model": MODEL, **body}).encode(),
            {"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.read(), response.headers["X-Receipt-Id"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {body}: {error.code} {error.read().decode()}") from error

    def evidence(self, receipt):
        """The evidence file, and whether the receipt is logged."""
        with urllib.request.urlopen(f"{self.address}/v1/receipts/{receipt}", timeout=60) as response:
            return response.read(), response.headers["Evident-Log"]

    def answer(self, path, body):
        """Posts the request and fetches the evidence of its answer."""
        return self.evidence(self.post(path, body)[1])[0]

    def logged(self, receipt):
        """The evidence once it has the log's proof."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            data, state = self.evidence(receipt)
            if state == "logged":
                return data
            time.sleep(0.05)
        raise AssertionError(f"{receipt} is not logged: {state}")
