"""Flags about logs and addresses: what is printed can be used, and what contradicts itself is refused."""

import socket

import httpx
import pytest

from conftest import run
from log_files import Key
from test_log import Process
from test_record_mistakes import fails

KEY = Key("log.example/flags", 13)


@pytest.mark.parametrize("command", [["serve"], ["log", "serve"], ["witness", "--name", "w.example/w", "--log", KEY.vkey]])
def test_addresses_in_brackets(tmp_path, command):
    """What is printed of an IPv6 address can be used as it stands."""
    where = ["--listen", "[::1]:0"] if command == ["log", "serve"] else ["--host", "::1", "--port", "0"]
    server = Process(tmp_path, *command, *where, host=r"\[::1\]")
    try:
        assert httpx.get(server.url + "/health").json()["status"] == "ok"
        if command[0] == "witness":
            line = server.process.stdout.readline().decode().replace("NAME", "w")
            (tmp_path / "policy").write_text(f"log {KEY.vkey}\n{line}quorum w\n")
            assert server.url in line
            run(tmp_path, "policy", "check", "policy")
    finally:
        assert server.stop() == 0
    assert "http://::1" not in server.out
    if command[0] == "serve":
        assert f"curl {server.url}/v1" in server.out and f'base_url="{server.url}/v1"' in server.out
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        where = where[:-1] + [where[-1][:-1] + str(taken.getsockname()[1])]
        fails(tmp_path, *command, *where, says=[f"cannot listen on [::1]:{taken.getsockname()[1]}: "])


LOG = ["--log-url", "http://127.0.0.1:9", "--log-vkey", KEY.vkey]


@pytest.mark.parametrize("flags, named", [
    (["--log-vkey", KEY.vkey], ["--log-vkey", "--log-url"]),
    ([*LOG, "--log-dir", "log"], ["--log-url", "--log-dir"]),
    ([*LOG, "--log-policy", "policy"], ["--log-url", "--log-policy"]),
    ([*LOG, "--log-origin", "log.example/x"], ["--log-url", "--log-origin"]),
    ([*LOG, "--batch-interval", "9"], ["--log-url", "--batch-interval"]),
    (["--log-vkey", KEY.vkey, "--log-dir", "log"], ["--log-vkey", "--log-dir"]),
    (["--no-log", "--log-url", "http://127.0.0.1:9"], ["--no-log", "--log-url"]),
    (["--no-log", "--log-dir", "log"], ["--no-log", "--log-dir"]),
    (["--no-log", "--log-policy", "policy"], ["--no-log", "--log-policy"]),
    (["--no-log", "--log-within", "1h"], ["--no-log", "--log-within"]),
])
def test_flags_that_contradict_each_other(tmp_path, flags, named):
    done = run(tmp_path, "serve", "--port", "0", *flags, check=64)
    message = done.err.splitlines()[0]
    assert message.startswith("Error: ") and all(flag in message for flag in named), done.err


def test_a_flag_outweighs_a_setting_about_another_log(tmp_path):
    settings = {"EVIDENT_LOG_URL": "http://127.0.0.1:9", "EVIDENT_LOG_VKEY": KEY.vkey}
    key = run(tmp_path, "log", "key").out.strip()
    for flags, extra, said in [
        ([], settings, "Log http://127.0.0.1:9, key"), (["--log-dir", "mine"], settings, "/log, key"),
        (["--no-log"], settings, "No log"), (["--log-vkey", key], settings, f"key {key}"),
        ([], {"EVIDENT_LOG": "none"}, "No log"), (LOG, {"EVIDENT_LOG": "none"}, "Log http://127.0.0.1:9, key"),
    ]:
        server = Process(tmp_path, "serve", "--port", "0", *flags, **extra)
        assert server.stop() == 0
        assert said in server.out, (flags, server.out)


def test_another_origin_than_that_of_the_key(tmp_path):
    run(tmp_path, "log", "key", "--origin", "log.example/first")
    for command in [["serve", "--port", "0", "--log-origin"], ["log", "serve", "--listen", "127.0.0.1:0", "--origin"]]:
        done = fails(tmp_path, *command, "log.example/other", says=["log.example/first", "leave the origin away", "EVIDENT_LOG_KEY"])
        assert "leave --origin" not in done.err
