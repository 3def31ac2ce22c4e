"""The README's commands, run as written."""

import os
import re
import subprocess

from conftest import BINARY, ROOT, environment

README = (ROOT / "README.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, flags=re.M | re.S)


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
