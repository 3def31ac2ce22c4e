"""The README's commands, run as written."""

import os
import re
import signal
import socket
import subprocess

from conftest import BINARY, ROOT, environment

README = (ROOT / "README.md").read_text()
RECORD = (ROOT / "docs" / "running-a-record.md").read_text()


def blocks(kind: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, flags=re.M | re.S)


def shell(home, script: str, **extra) -> str:
    env = environment(home, **extra) | {"PATH": f"{BINARY.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, cwd=home, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{script}\n{done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout.decode()


def test_command_line_examples(tmp_path):
    (script,) = blocks("sh run")
    out = shell(tmp_path, script)
    assert "Evident is open" in out and "PASS" in out and "FAIL" not in out


def test_python_example(server, tmp_path, capsys):
    (script,) = blocks("python")
    assert "http://127.0.0.1:8462" in script
    exec(compile(script.replace("http://127.0.0.1:8462", server.url), "README.md", "exec"), {})
    assert "rcpt-" in capsys.readouterr().out


def test_curl_example(server, tmp_path):
    script = next(b for b in blocks("sh") if "curl" in b)
    first, _, rest = script.partition("curl -s http://127.0.0.1:8462/v1/receipts")
    answer = shell(tmp_path, first.replace("http://127.0.0.1:8462", server.url))
    receipt = re.search(r'"receipt":\{"id":"([^"]+)"', answer).group(1)
    rest = ("curl -s http://127.0.0.1:8462/v1/receipts" + rest).replace("http://127.0.0.1:8462", server.url).replace("/ID", "/" + receipt)
    assert "FAIL" not in shell(tmp_path, rest)


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets


def test_the_record_step_by_step(tmp_path):
    """All of the page in one shell, on ports that are free here."""
    script = "\n".join(blocks("sh record", RECORD)).replace("evident serve ", "evident serve --port 8462 ")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    for port, free in zip(["8462", "9101", "9102", "9103"], sockets):
        script = script.replace(port, str(free.getsockname()[1]))
    ports = [str(free.getsockname()[1]) for free in sockets[1:]]
    script = script.replace("--port 910$i", "--port $(echo " + " ".join(ports) + " | cut -d' ' -f$i)")
    for free in sockets:
        free.close()
    env = environment(tmp_path) | {"PATH": f"{BINARY.parent}:{os.environ['PATH']}"}
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script], env=env, cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True)
    try:
        done = shell.wait(120)
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
    out, err = (text.decode() for text in shell.communicate(timeout=60))
    assert done == 0, out + err
    assert "2 of (w1, w2, w3)" in out and out.count("VERIFIED: signed, logged") == 2, out
    assert "everything is right" in out and out.count('"event":"verified"') == 1 and '"alarm"' not in out, out
    assert "stream   whole" in out and "stream   cut" in out and "is revoked from" in out, out
