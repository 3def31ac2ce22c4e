"""`evident import` stopped or killed at any moment: the model is there as a whole, or nothing of it is."""

import os
import signal
import subprocess
import time

import pytest

from conftest import BINARY, environment, run
from model_files import llama, tiny, write

MOMENTS = 12


def store(home):
    return home / ".local" / "share" / "evident" / "models"


def contents(folder) -> dict:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def stopped(home, number: int, after: float, *arguments: str) -> subprocess.CompletedProcess:
    process = subprocess.Popen(
        [str(BINARY), *arguments], env=environment(home), cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    time.sleep(after)
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    if process.returncode == 130:
        assert errors == b"stopped; nothing was written\n" and not out, errors
    return subprocess.CompletedProcess(arguments, process.returncode, out, errors)


def moments(home, *arguments: str) -> list:
    """From the start of a command to a little after its end."""
    begun = time.monotonic()
    run(home, *arguments)
    whole = time.monotonic() - begun
    return [whole * i / (MOMENTS - 3) for i in range(MOMENTS)]


def prepared(home, source: str) -> tuple:
    """The arguments of an import of about 40 MB whose signature is checked first."""
    write(llama(40), home / "folder")
    if source == "pack":
        run(home, "import", "folder", "--pack", "m.pack")
        return ("import", "m.pack", "--name", "m")
    run(home, "publish", "--sign-only", "folder")
    return ("import", "folder", "--name", "m")


NUMBERS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)


@NUMBERS
@pytest.mark.parametrize("source", ["folder", "pack"])
def test_an_interrupted_import_leaves_all_or_nothing(tmp_path, number, source):
    arguments = prepared(tmp_path, source)
    write(tiny(), tmp_path / "tiny")
    run(tmp_path, "import", "tiny", "--name", "kept")
    before = contents(store(tmp_path))
    times = moments(tmp_path, *arguments)
    digest = (store(tmp_path) / "tags" / "m").read_text().strip()

    def state() -> dict:
        # Without what says when it was imported.
        return {n: b for n, b in contents(store(tmp_path)).items() if n in before or not n.startswith("provenance/")}

    whole = state()
    # Killed in between, the whole model may be there before its name is.
    unnamed = {n: b for n, b in whole.items() if n != "tags/m"}
    ended = set()
    for after in times:
        run(tmp_path, "rm", digest, check=None)
        assert contents(store(tmp_path)) == before
        code = stopped(tmp_path, number, after, *arguments).returncode
        ended.add(code)
        if number == signal.SIGKILL:
            # The next command sweeps up.
            run(tmp_path, "verify-model", "--all")
        now = state()
        wanted = {130: [before], 0: [whole], -signal.SIGKILL: [before, whole, unnamed]}.get(code, [before, whole])
        assert now in wanted, (code, [sorted(n for n, _ in now.items() ^ other.items()) for other in wanted])
    assert ended <= {0, 130, -number} and (-number if number == signal.SIGKILL else 130) in ended, ended
    run(tmp_path, "verify-model", "--all")


@NUMBERS
def test_an_interrupted_import_to_a_pack_leaves_all_or_nothing(tmp_path, number):
    prepared(tmp_path, "folder")
    (tmp_path / "out").mkdir()
    arguments = ("import", "folder", "--pack", "out/m.pack")
    times = moments(tmp_path, *arguments)
    whole = contents(tmp_path / "out")
    ended = set()
    for after in times:
        (tmp_path / "out" / "m.pack").unlink(missing_ok=True)
        code = stopped(tmp_path, number, after, *arguments).returncode
        ended.add(code)
        now = contents(tmp_path / "out")
        if number == signal.SIGKILL:
            now = {n: b for n, b in now.items() if not n.startswith(".evident-incoming-")}
        assert now == {} if code == 130 else now == whole if code == 0 else now in ({}, whole), sorted(now)
    assert ended <= {0, 130, -number} and (-number if number == signal.SIGKILL else 130) in ended, ended
    # What a killed process leaves is swept later, and never what may still live.
    left = [p for p in (tmp_path / "out").iterdir() if p.name != "m.pack"]
    assert (number == signal.SIGKILL) == bool(left)
    for path in left[1:]:
        os.utime(path, (time.time() - 7200,) * 2)
    run(tmp_path, *arguments)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([p.name for p in left[:1]] + ["m.pack"])
