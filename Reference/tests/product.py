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


class Server:
    """`evident serve` on a free port of the loopback interface."""

    def __init__(self, home):
        self._log = open(home / "server.log", "w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [BINARY, "serve", "--port", "0"], env=environment(home), cwd=home, stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT,
        )
        self._address = self._wait_for_address(Path(self._log.name))

    def _wait_for_address(self, log):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
                return found[0]
            time.sleep(0.02)
        self._process.kill()
        raise AssertionError(f"the server did not start: {log.read_text()}")

    def answer(self, path, body):
        """Posts the request and fetches the evidence of its answer."""
        request = urllib.request.Request(
            self._address + path, json.dumps({"model": MODEL, **body}).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                receipt = response.headers["X-Receipt-Id"]
                response.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {body}: {error.code} {error.read().decode()}") from error
        with urllib.request.urlopen(f"{self._address}/v1/receipts/{receipt}", timeout=60) as response:
            return response.read()

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._log.close()
