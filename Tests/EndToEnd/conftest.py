"""The real binary, started and stopped as a user would; everything it keeps lies in a temporary folder."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("EVIDENT_BINARY", ROOT / ".build" / "release" / "evident"))


def environment(home: Path, **extra: str) -> dict:
    """A clean environment: nothing of the caller's configuration reaches the binary."""
    drop = ("EVIDENT_", "XDG_", "HF_", "HUGGING", "SSL_")
    keep = {k: v for k, v in os.environ.items() if not k.startswith(drop) and not k.lower().endswith("_proxy")}
    return keep | {"HOME": str(home), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"} | extra


def run(home: Path, *arguments: str, stdin: str | None = None, check: int | None = 0, timeout: float = 120, **extra: str):
    done = subprocess.run(
        [str(BINARY), *arguments], env=environment(home, **extra), capture_output=True, timeout=timeout,
        input=None if stdin is None else stdin.encode(), stdin=subprocess.DEVNULL if stdin is None else None, cwd=home)
    done.out, done.err = done.stdout.decode(), done.stderr.decode()
    if check is not None:
        assert done.returncode == check, f"exit {done.returncode}\n{done.out}\n{done.err}"
    return done


def peak(home: Path, *arguments: str) -> int:
    """The largest resident set of a command that succeeds, in bytes."""
    # A process starts with the peak of whoever forked it, so a small one stands between.
    measure = "import resource as r, subprocess as s, sys; s.run(sys.argv[1:], check=True, stdout=s.DEVNULL); " \
        "print(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", measure, str(BINARY), *arguments], env=environment(home), cwd=home, capture_output=True,
        text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout) << 10


class Server:
    def __init__(self, home: Path, *arguments: str):
        self.home = home
        self.log = open(home / "server.log", "ab")
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--port", "0", *arguments], env=environment(home), cwd=home,
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL)
        self.url = self._wait_for_address()

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + 60
        seen = b""
        os.set_blocking(self.process.stdout.fileno(), False)
        while time.monotonic() < deadline:
            seen += self.process.stdout.read() or b""
            if match := re.search(rb"(http://127\.0\.0\.1:\d+)", seen):
                return match.group(1).decode()
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"the server did not start: {seen!r}\n{(self.home / 'server.log').read_text()}")

    def client(self, **options) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url + "/v1", api_key="none", max_retries=0, **options)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.log.close()
        return code


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def server(home):
    server = Server(home)
    yield server
    assert server.stop() == 0, (home / "server.log").read_text()[-4000:]


@pytest.fixture(scope="session")
def client(server):
    return server.client()
