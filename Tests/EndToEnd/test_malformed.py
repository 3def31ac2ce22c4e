"""A sample of damaged files through the real binary; `malformed.py --count` runs as many as you like."""

import os
import random

import pytest

import malformed

SEED = int(os.environ.get("EVIDENT_TEST_SEED", random.randrange(2**32)))
KINDS = malformed.kinds()
COUNT = 300


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_undamaged_files_are_accepted(tmp_path, kind):
    """Otherwise the damage would be refused for another reason."""
    folder = tmp_path / "case"
    folder.mkdir()
    outcome = malformed.Outcome(kind.name)
    for seed in kind.seeds:
        for arguments in kind.place(folder, seed):
            status, problem = malformed.run(folder, arguments, outcome)
            assert (status, problem) == (0, ""), (folder.parent / "stderr").read_text()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_end_in_one_clear_error(tmp_path, kind):
    print(f"EVIDENT_TEST_SEED={SEED}")
    outcome = malformed.examine(kind, -(-COUNT // len(KINDS)), SEED, tmp_path / "kept")
    assert not outcome.problems, "\n".join(outcome.problems)
    assert outcome.refused > outcome.files // 10, outcome


def test_the_harness_sees_what_it_looks_for():
    assert "signal 11" in malformed.problem(-11, "")
    assert "longer" in malformed.problem(-9, "")
    assert malformed.problem(132, "Fatal error: Index out of range")
    assert malformed.problem(1, "Error: one\nError: two\n")
    assert malformed.problem(1, "")
    assert not malformed.problem(1, "Error: what is wrong\nhint: what to do\n")
