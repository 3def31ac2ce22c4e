"""A disk that fills up in the middle: one clear error, nothing half-written, and later it goes on."""

import contextlib
import os
import resource
import subprocess

import pytest

import conftest
from conftest import BINARY, environment
from model_files import llama, tiny, write
from test_pull import BIG, SIZE, WEIGHTS, hub  # noqa: F401
from test_pull_interrupted import until

FULL = "No space left on device"
HINT = "hint: free some disk space and try again"


class SmallDisk:
    """A tmpfs of a few megabytes, mounted where only its own commands see it."""

    def __init__(self, home, megabytes: int):
        self.home = home
        self.path = home / "disk"
        self.path.mkdir()
        user = [] if os.geteuid() == 0 else ["-r"]
        mount = f"mount -t tmpfs -o size={megabytes}m tmpfs '{self.path}' && echo mounted && exec cat"
        self.holder = subprocess.Popen(
            ["unshare", "-m", *user, "sh", "-c", mount], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "mounted\n":
            pytest.skip(f"no disk can be mounted here: {self.holder.communicate()[1].strip()}")
        keeps = ["-U", "--preserve-credentials"] if user else []
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-m", *keeps, "sh", "-c", f"cd '{home}' && exec \"$@\"", "sh"]
        # The same folder, seen from here.
        self.seen = conftest.Path(f"/proc/{self.holder.pid}/root{self.path}")

    def environment(self, **extra) -> dict:
        return environment(self.home, EVIDENT_MODELS=str(self.path / "models"), **extra)

    def resize(self, megabytes: int):
        subprocess.run([*self.enter, "mount", "-o", f"remount,size={megabytes}m", str(self.path)], check=True)

    def start(self, *arguments, **extra) -> subprocess.Popen:
        return subprocess.Popen(
            [*self.enter, str(BINARY), *arguments], env=self.environment(**extra), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, check=0, **extra):
        process = self.start(*arguments, **extra)
        process.out, process.err = process.communicate(timeout=60)
        assert process.returncode == check, process.out + process.err
        return process

    def fill(self):
        with open(self.seen / "filler", "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))

    def contents(self) -> dict:
        return {
            str(p.relative_to(self.seen)): p.read_bytes() for p in self.seen.rglob("*")
            if p.is_file() and p.name != ".lock" and "downloads" not in p.parts}

    def close(self):
        self.holder.communicate()


@pytest.fixture
def disk(tmp_path):
    disk = SmallDisk(tmp_path, 8)
    write(tiny(), tmp_path / "tiny")
    disk.run("import", "tiny", "--name", "kept")
    yield disk
    disk.close()


def one_error(done, *words):
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "Fatal" not in done.err and not done.out, done.err
    assert all(word in done.err for word in words), done.err


@pytest.mark.parametrize("target", ["store", "store from a pack", "pack"])
def test_an_import(tmp_path, disk, target):
    write(llama(20), tmp_path / "big")
    arguments = ["import", "big", "--name", "m"]
    if target == "pack":
        arguments = ["import", "big", "--pack", "disk/m.pack"]
    if target == "store from a pack":
        disk.run("import", "big", "--pack", "m.pack")
        arguments = ["import", "m.pack"]
    before = disk.contents()
    one_error(disk.run(*arguments, check=1), FULL, HINT, "cannot write", "disk/")
    assert disk.contents() == before
    disk.run("verify-model", "--all")
    disk.resize(40)
    disk.run(*arguments)
    assert before.items() < disk.contents().items()
    disk.run("verify-model", *(["disk/m.pack"] if target == "pack" else ["m", "kept"]))


def test_a_download(tmp_path, disk, hub):
    disk.resize(60)
    before = disk.contents()
    hub.add("org/m", BIG)
    hub.faults.rate = 4_000_000
    process = disk.start("pull", "org/m", HF_ENDPOINT=hub.url)
    until(lambda: hub.sent(WEIGHTS) > 6_000_000)
    disk.fill()
    process.out, process.err = process.communicate(timeout=60)
    assert process.returncode == 1
    one_error(process, FULL, HINT, "what has arrived is kept", WEIGHTS)
    # Still full.
    one_error(disk.run("pull", "org/m", check=1, HF_ENDPOINT=hub.url), "disk space", "hint: free some disk space")
    (disk.seen / "filler").unlink()
    assert disk.contents() == before
    disk.run("verify-model", "--all")
    hub.faults.rate = None
    hub.forget()
    disk.run("pull", "org/m", HF_ENDPOINT=hub.url)
    assert hub.sent(WEIGHTS) < SIZE - 3_000_000, "it goes on where it stopped"
    disk.run("verify-model", "m", "kept")


def test_the_import_after_a_download(tmp_path, disk, hub):
    disk.resize(24)
    before = disk.contents()
    hub.add("org/m", BIG)
    one_error(disk.run("pull", "org/m", check=1, HF_ENDPOINT=hub.url), FULL, HINT, "what has arrived is kept", "blobs")
    assert disk.contents() == before
    disk.run("verify-model", "--all")
    disk.resize(40)
    hub.forget()
    disk.run("pull", "org/m", HF_ENDPOINT=hub.url)
    assert not hub.sent(WEIGHTS)
    disk.run("verify-model", "m", "kept")


def test_a_limit_on_the_size_of_files(tmp_path):
    """`ulimit -f`, whose signal must not end the process without a word."""
    write(llama(20), tmp_path / "big")
    write(tiny(), tmp_path / "tiny")
    conftest.run(tmp_path, "import", "tiny", "--name", "kept")

    def run(*arguments) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [str(BINARY), *arguments], env=environment(tmp_path), cwd=tmp_path, capture_output=True, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20)))
        done.out, done.err = done.stdout, done.stderr
        return done

    for arguments in (["import", "big"], ["import", "big", "--pack", "m.pack"]):
        done = run(*arguments)
        assert done.returncode == 1
        one_error(done, "cannot write", "File too large", "ulimit -f")
    assert not (tmp_path / "m.pack").exists() and not list(tmp_path.rglob(".*incoming-*"))
    conftest.run(tmp_path, "verify-model", "--all")
    conftest.run(tmp_path, "import", "big")
