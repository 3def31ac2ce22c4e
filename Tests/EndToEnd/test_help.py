"""What the binary says about itself fits on a terminal of 80 columns, without lines that break in the middle."""

import re

import pytest

from conftest import run

COMMANDS = ["", "run", "serve", "verify", "log", "log serve", "log key", "log fsck", "pull", "import", "publish", "list",
            "show", "cp", "rm", "verify-model", "tokenize", "render-template", "keys", "keys show", "keys rotate",
            "keys revoke", "policy", "policy show", "policy check", "witness", "monitor", "bench"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(tmp_path, command):
    text = run(tmp_path, "help", *command.split()).out
    discussion = text.split("\nUSAGE: ")[0].split("\n\n", 1)[-1]
    for line, after in zip(discussion.split("\n"), discussion.split("\n")[1:]):
        assert len(line) <= 80, line
        # A word that would have fitted on the line before stands there.
        if line and after and not line.startswith(" ") and not after.startswith(" "):
            assert len(line) + 1 + len(after.split(" ")[0]) > 60, f"{line}\n{after}"
    assert not re.search(r"\(default [^)]*\)\.?\s+\(default: ", text), text


def test_all_commands_are_here(tmp_path):
    listed = re.findall(r"^  ([a-z-]+)(?:, \w+)? ", run(tmp_path, "--help").out.split("SUBCOMMANDS:")[1], flags=re.M)
    assert set(listed) <= set(COMMANDS)
