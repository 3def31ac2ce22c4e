"""The command line as a person uses it: right, wrong, interrupted."""

import json
import os
import signal
import subprocess
import time

import pytest

from conftest import BINARY, ROOT, environment, run

QUESTION = "What is Evident?"


def test_help_names_every_command(tmp_path):
    text = run(tmp_path, "--help").out
    for command in ("run", "serve", "verify", "import", "publish", "list", "show", "rm", "keys", "policy"):
        assert f"  {command} " in text
        assert "USAGE" in run(tmp_path, command, "--help").out
    assert run(tmp_path, "--version").out.startswith("evident ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(tmp_path, shell):
    assert "evident" in run(tmp_path, "--generate-completion-script", shell).out


def test_run_answers_and_verifies(tmp_path):
    done = run(tmp_path, "run", QUESTION)
    assert "evident" in done.out.lower()
    assert "verified: signed, replayed" in done.err


def test_run_reads_stdin(tmp_path):
    assert run(tmp_path, "run", stdin=QUESTION + "\n").out == run(tmp_path, "run", QUESTION).out


def test_run_json(tmp_path):
    answer = json.loads(run(tmp_path, "run", "--json", QUESTION).out)
    assert answer["finishReason"] == "stop" and answer["verdict"]


def test_run_is_the_same_everywhere(tmp_path):
    def ask(*flags):
        return run(tmp_path, "run", "--temperature", "2", *flags, QUESTION).out

    assert ask("--seed", "3") == ask("--seed", "3", "--threads", "1", "--kernels", "scalar") == ask("--seed", "3", "--threads", "3")
    assert len({ask("--seed", str(n)) for n in range(6)}) > 1


def test_evidence_file_round_trip(tmp_path):
    path = tmp_path / "a.evidence.json"
    run(tmp_path, "run", "--evidence", str(path), QUESTION)
    for flags in ([], ["--replay"], ["--replay", "--kernels", "scalar"], ["--replay", "--replay-with", "reference"]):
        done = run(tmp_path, "verify", *flags, str(path))
        assert "PASS" in done.out and "FAIL" not in done.out
    verdict = json.loads(run(tmp_path, "verify", "--json", "--replay", str(path)).out)
    # Nothing was promised to a log, and nobody looked into one.
    log = {"inclusion", "logSignature", "witnessQuorum", "logTime", "promise", "keyHistory"}
    skipped = {check["check"] for check in verdict["checks"] if check["outcome"] != "PASS"}
    assert skipped == log, verdict
    assert not list(tmp_path.glob("*.new"))


def test_verify_without_replay_says_what_it_skipped(tmp_path):
    path = tmp_path / "a.evidence.json"
    run(tmp_path, "run", "--evidence", str(path), QUESTION)
    done = run(tmp_path, "verify", str(path))
    assert "SKIP" in done.out


def test_verify_refutes_and_refuses(tmp_path):
    path = tmp_path / "a.evidence.json"
    run(tmp_path, "run", "--evidence", str(path), QUESTION)
    good = path.read_text()
    tampered = tmp_path / "tampered.json"
    evidence = json.loads(good)
    evidence["opening"]["text"] += " Trust me."
    tampered.write_text(json.dumps(evidence))
    done = run(tmp_path, "verify", str(tampered), check=1)
    assert "FAIL" in done.out
    truncated = tmp_path / "truncated.json"
    truncated.write_text(good[: len(good) // 2])
    assert "FAIL" in run(tmp_path, "verify", str(truncated), check=1).out
    done = run(tmp_path, "verify", str(tmp_path / "missing.json"), check=2)
    assert "no readable file" in done.err and "hint:" in done.err
    other = json.loads(run(tmp_path, "keys", "--json", HOME=str(tmp_path / "elsewhere")).out)["publicKey"]
    run(tmp_path, "verify", "--key", other, str(path), check=1)
    assert run(tmp_path, "verify", str(path), str(tampered), check=1).out.count("== ") == 2


def test_verify_replay_refutes_another_answer(tmp_path):
    """Well signed, well bound, and not what the model gives: only recomputing finds it."""
    path = tmp_path / "a.evidence.json"
    run(tmp_path, "run", "--evidence", str(path), QUESTION)
    # The forgery itself is made in VerificationTests, where keys are at hand; here: another model.
    evidence = json.loads(path.read_text())
    evidence["model"]["config"]["normEpsilon"] += 1
    path.write_text(json.dumps(evidence))
    run(tmp_path, "verify", "--replay", str(path), check=1)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["run", "--temperature", "hot", "x"], "temperature"),
        (["run", "--nonce", "zz", "x"], "nonce"),
        (["run", "--kernels", "cuda", "x"], "kernel"),
        (["run", "--threads", "0", "x"], "thread"),
        (["verify", "--threads", "0", "x"], "thread"),
        (["bench", "--prefill=-5"], "prefill"),
        (["bench", "--decode-at", "9223372036854775807"], "decode-at"),
        (["bench", "--repetitions", "0"], "repetitions"),
        (["run", "--evidence", "/no/such/folder/a.json", "hi"], "No such file"),
        (["run", "no-such-model", "x"], "no-such-model"),
        (["run", "a", "b", "c"], "quotes"),
        (["serve", "--port", "99999"], "port"),
        (["serve", "--retain", "soon"], "retention"),
        (["import", "/no/such/directory"], "/no/such/directory"),
        (["show", "no-such-model"], "no-such-model"),
        (["rm", "no-such-model"], "no-such-model"),
        (["rm", "evident-tiny"], "evident-tiny"),
        (["frobnicate"], "frobnicate"),
        (["verify"], "files"),
    ],
)
def test_wrong_use_is_one_clear_error(tmp_path, arguments, word):
    done = run(tmp_path, *arguments, check=None)
    assert done.returncode not in (0, -4, -5, -6, -11), done.err
    assert word in done.err and "rror" in done.err, done.err
    assert "Fatal" not in done.err and len(done.err.splitlines()) <= 12


def test_settings_by_flag_environment_file(tmp_path):
    config = tmp_path / ".config" / "evident"
    config.mkdir(parents=True)
    (config / "config.json").write_text('{"threads": "many"}')
    done = run(tmp_path, "run", "hi", check=None)
    assert done.returncode != 0 and "threads" in done.err and "config.json" in done.err
    assert run(tmp_path, "run", "hi", EVIDENT_THREADS="1").out == run(tmp_path, "run", "--threads", "2", "hi").out
    done = run(tmp_path, "run", "hi", check=None, EVIDENT_THREADS="x")
    assert "EVIDENT_THREADS" in done.err


def test_list_show_keys(tmp_path):
    models = json.loads(run(tmp_path, "list", "--json").out)
    assert models[0]["names"] == ["evident-tiny"] and models[0]["embedded"]
    assert models[0]["digest"] in run(tmp_path, "show", "evident-tiny").out
    assert json.loads(run(tmp_path, "show", "--json").out)["schema"] == "evident.model.v1"
    key = json.loads(run(tmp_path, "keys", "--json").out)
    assert key == json.loads(run(tmp_path, "keys", "--json").out)
    assert os.stat(key["path"]).st_mode & 0o777 == 0o600
    os.chmod(key["path"], 0o644)
    assert "chmod 600" in run(tmp_path, "keys", check=None).err


def test_import_list_run_remove(tmp_path):
    source = next((ROOT / "Tests" / "ModelFilesTests" / "Fixtures").rglob("config.json")).parent
    first = json.loads(run(tmp_path, "import", str(source), "--name", "tiny", "--json").out)
    again = json.loads(run(tmp_path, "import", str(source), "--name", "tiny2", "--threads", "1", "--json").out)
    assert first["digest"] == again["digest"]
    names = [n for m in json.loads(run(tmp_path, "list", "--json").out) for n in m["names"]]
    assert {"tiny", "tiny2"} <= set(names)
    run(tmp_path, "rm", "tiny")
    run(tmp_path, "rm", "tiny2")
    blobs = [p for p in tmp_path.rglob("blobs/*") if p.is_file()]
    assert not blobs, blobs


def test_conversation_keeps_history(tmp_path):
    done = run(tmp_path, "run", "evident-tiny", stdin=None, check=None)
    # Without a terminal and without text there is nothing to answer.
    assert done.returncode != 0


def test_interactive_chat(tmp_path):
    import pty

    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [str(BINARY), "run"], env=environment(tmp_path), stdin=secondary, stdout=secondary, stderr=secondary, cwd=tmp_path)
    os.close(secondary)
    seen = b""

    def until(mark: bytes, timeout=60):
        nonlocal seen
        deadline = time.monotonic() + timeout
        while mark not in seen:
            assert time.monotonic() < deadline, seen
            try:
                seen += os.read(primary, 4096)
            except OSError:
                break
        text, seen = seen, b""
        return text

    until(b">>> ")
    os.write(primary, b"Hello!\n")
    assert b"verified" in until(b">>> ")
    os.write(primary, b"What is a receipt?\n")
    assert b"verified" in until(b">>> ")
    os.write(primary, b"/bye\n")
    assert process.wait(20) == 0
    os.close(primary)


def test_interrupt_ends_the_server_cleanly(tmp_path):
    from conftest import Server

    server = Server(tmp_path)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0
    assert not [p for p in tmp_path.rglob("*.new")]
