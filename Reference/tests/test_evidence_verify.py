"""Two verifiers on the same files: `evident verify --json` and evidence_verify.py, check by check and by verdict.

EVIDENT_TEST_SEED and EVIDENT_EVIDENCE_CASES repeat or extend the run; what differs is kept in EVIDENT_EVIDENCE_KEEP."""

import base64
import copy
import json
import os
import random
import subprocess
from collections import Counter
from pathlib import Path

import evidence_cases
import evidence_mutations
import evidence_verify
import fresh_evidence
import log_mutations
import product
import pytest
from conftest import SEED
from evidence_cases import NODES
from evident_oracle import canonical

FIXTURES = product.ROOT / "Tests" / "VerificationTests" / "Fixtures" / "fuzz" / "evidenceFile"
VECTORS = product.ROOT / "Tests" / "ReceiptsTests" / "Vectors"
CASES = int(os.environ.get("EVIDENT_EVIDENCE_CASES", "800"))
OF_THE_MODEL = ("rendering", "decoding", "replay")
STATED_MODEL = "sha256:65ee9fab9ca7315f1c82771a7fdb716d68d6be5fa52836791b590e15e567632d"
FLAGS = [
    [],
    ["--policy", "two of three"],
    ["--policy", "two of three", "--require-level", "logged"],
    ["--policy", "nested"],
    ["--policy", "one"],
    ["--policy", "two logs"],
    ["--policy", "quorum none", "--require-level", "logged"],
    ["--policy", "no log"],
    ["--policy", "other log"],
    ["--policy", "two keys"],
    ["--policy", "two of three", "--key", NODES[0].hex],
    ["--key", NODES[1].hex, "--key", NODES[2].hex],
    ["--receipt-only"],
    ["--receipt-only", "--policy", "no log"],
    ["--nonce", "c1" * 32],
    ["--model", STATED_MODEL],
    ["--require-level", "logged"],
]


def bases():
    for name in ("answer", "embedding"):
        file = json.loads((FIXTURES / name).read_bytes())
        statement = json.loads(base64.b64decode(file["receipt"]["payload"]))
        yield {"opening": file["opening"], "model": file["model"], "statement": statement}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    for name, text in log_mutations.POLICIES.items():
        (folder / name).write_text(text)
    return folder


def by_the_product(home, flags, names):
    """{file name: (checks, verdict, exit status)}"""
    done = subprocess.run(
        [product.BINARY, "verify", "--json", *flags, *names],
        cwd=home,
        env=product.environment(home),
        capture_output=True,
        text=True,
    )
    verdicts = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert len(verdicts) == len(names), done.stderr[-2000:]
    assert done.stderr == "", done.stderr[-2000:]  # that a model is not here is no warning
    assert done.returncode == max((v["exitStatus"] for v in verdicts), key=lambda status: (status == 1, status))
    return {
        v["file"]: ({c["check"]: (c["outcome"], c["reason"]) for c in v["checks"]}, v["verdict"], v["exitStatus"])
        for v in verdicts
    }


def by_the_specification(home, flags, name):
    o = evidence_verify.options([str(home / f) if (home / f).is_file() else f for f in flags])
    evidence = evidence_verify.Evidence((home / name).read_bytes(), o)
    return evidence.results, *evidence.verdict()


def differences(ours, theirs):
    """Names of checks with other outcomes; with the model's checks aside, the product's verdict too."""
    (mine, *my_verdict), (found, *verdict) = ours, theirs
    of_model = [found[name][0] for name in OF_THE_MODEL if name in found]
    names = sorted(({*mine} | {*found}) - {*OF_THE_MODEL})
    wrong = [
        f"{n}: {mine.get(n)} here, {found.get(n)} there" for n in names if mine.get(n, "-")[0] != found.get(n, "-")[0]
    ]
    if "FAIL" not in of_model and my_verdict != verdict:
        wrong.append(f"verdict: {my_verdict} here, {verdict} there")
    return wrong


def compare(home, files, flags, seen):
    """What differs, one text a file; counts the outcomes of every check in `seen`."""
    theirs = by_the_product(home, flags, files)
    found = []
    for name, done in files.items():
        wrong = differences(ours := by_the_specification(home, flags, name), theirs[name])
        found += [f"{name} [{done}] {' '.join(flags)}\n    " + "\n    ".join(wrong)] * bool(wrong)
        seen.update((n, r[0]) for n, r in ours[0].items())
        seen[ours[1]] += 1
    return found


def test_changed_evidence_is_judged_alike(home):
    rng = random.Random(SEED)
    print(f"EVIDENT_TEST_SEED={SEED} EVIDENT_EVIDENCE_CASES={CASES}")
    answer, embedding = bases()
    wrong, groups, seen = [], [{} for _ in FLAGS], Counter()
    for n in range(CASES):
        data, done = evidence_mutations.make_case(rng, answer if rng.random() < 0.8 else embedding)
        name = f"case-{n}.json"
        (home / name).write_bytes(data)
        groups[rng.randrange(len(FLAGS))][name] = done
    for flags, files in zip(FLAGS, groups):
        wrong += compare(home, files, flags, seen) if files else []
    if keep := os.environ.get("EVIDENT_EVIDENCE_KEEP"):
        for text in wrong:
            (Path(keep) / text.split()[0]).write_bytes((home / text.split()[0]).read_bytes())
    assert not wrong, f"{len(wrong)} of {CASES} differ (EVIDENT_TEST_SEED={SEED}):\n" + "\n".join(wrong)
    # Every check has passed, failed and been skipped, and every verdict was given.
    least = CASES // 500
    for check in {*evidence_verify.R[2:], *evidence_verify.E, *evidence_verify.L, "vectors", "keyHistory"}:
        found = [seen[check, outcome] for outcome in ("PASS", "FAIL", "SKIP")]
        assert min(found) >= least, f"{check}: {found} times passed, failed, skipped"
    assert all(seen[verdict] >= CASES // 50 for verdict in ("verified", "refuted", "unchecked")), seen


def test_policies_are_judged_alike(home):
    """Random quorums over groups in groups, and files that are no policies."""
    rng = random.Random(SEED + 1)
    print(f"EVIDENT_TEST_SEED={SEED}")
    answer = next(bases())
    wrong, seen, refused = [], Counter(), 0
    for n in range(CASES // 12):
        text = log_mutations.random_policy(rng)
        (home / "random").write_text(text)
        cosigned = [
            (w, log_mutations.SEEN + rng.choice([-9000, 0, 50, 10**6]))
            for w in rng.sample(evidence_cases.WITNESSES, rng.randrange(4))
        ]
        (home / "proof").write_text(log_mutations.proof({}, cosigned))
        file = dict(evidence_mutations.signed(copy.deepcopy(answer)))
        file["log"] = log_mutations.proof(file["receipt"], cosigned)
        (home / "random.json").write_bytes(canonical.encode(file))
        done = subprocess.run(
            [product.BINARY, "policy", "check", "random"],
            cwd=home,
            env=product.environment(home),
            capture_output=True,
            text=True,
        )
        try:
            evidence_verify.options(["--policy", str(home / "random")])
        except ValueError as error:
            refused += 1
            if done.returncode == 0:
                wrong.append(f"refused here ({error}), accepted there: {text}")
            continue
        if done.returncode != 0:
            wrong.append(f"accepted here, refused there ({done.stderr.strip()}): {text}")
            continue
        wrong += [f"{text}{found}" for found in compare(home, {"random.json": cosigned}, ["--policy", "random"], seen)]
    assert not wrong, f"{len(wrong)} differ (EVIDENT_TEST_SEED={SEED}):\n" + "\n".join(wrong)
    assert min(refused, seen["witnessQuorum", "PASS"], seen["witnessQuorum", "FAIL"]) >= CASES // 200, (refused, seen)


@pytest.fixture(scope="module")
def fresh(home):
    files = fresh_evidence.make(home)
    for name, data in files.items():
        (home / name).write_bytes(data)
    return files


def test_what_the_product_makes_is_judged_alike(home, fresh):
    names = {name: "fresh" for name in fresh if name.endswith(".json")}
    newest = json.loads(base64.b64decode(json.loads(fresh["chat.json"])["receipt"]["payload"]))["predicate"]["node"][
        "publicKey"
    ]
    oldest = json.loads(base64.b64decode(json.loads(fresh["run.json"])["receipt"]["payload"]))["predicate"]["node"][
        "publicKey"
    ]
    wrong = []
    for flags in (
        [],
        ["--policy", "fresh"],
        ["--policy", "fresh", "--key", newest],
        ["--policy", "fresh", "--key", oldest],
    ):
        seen = Counter()
        wrong += compare(home, names, flags, seen)
        assert seen["verified"] == (len(names) - 1 if newest in flags else len(names)), seen
    assert not wrong, "\n".join(wrong)
    assert seen["logTime", "PASS"] == seen["keyHistory", "PASS"] == len(names) - 1
    assert {json.loads(fresh["stop.json"])["keys"] != [], newest != oldest} == {True}


def test_fixtures_and_changed_files_of_the_product_are_judged_alike(home, fresh):
    """What is changed in a file after everybody has signed; and the files that Swift tests read."""
    rng = random.Random(SEED + 3)
    print(f"EVIDENT_TEST_SEED={SEED}")
    files = {f"fixture-{path.name}": path.read_bytes() for path in [*FIXTURES.iterdir(), *VECTORS.glob("*.json")]}
    for n in range(CASES // 10):
        data = fresh[rng.choice([name for name in fresh if name.endswith(".json")])]
        if rng.random() < 0.5:
            data = evidence_cases.respell(rng, data)
        else:
            evidence_cases.change_json(rng, value := json.loads(data))
            data = json.dumps(value).encode()
        files[f"changed-{n}.json"] = data
    for name, data in files.items():
        (home / name).write_bytes(data)
    wrong = []
    for flags in ([], ["--policy", "fresh"], ["--receipt-only"]):
        wrong += compare(home, dict.fromkeys(files, "file"), flags, seen := Counter())
        assert seen["refuted"] and seen["verified"], seen
    assert not wrong, f"EVIDENT_TEST_SEED={SEED}:\n" + "\n".join(wrong)


def test_streams_are_judged_alike(home, fresh):
    """Saved streams: cut anywhere, changed anywhere, signed by another, in other spellings."""
    rng = random.Random(SEED + 2)
    print(f"EVIDENT_TEST_SEED={SEED}")
    streams = [data for name, data in fresh.items() if name.endswith(".stream")]
    saved = {f"{n}.stream-case": evidence_mutations.changed_stream(rng, rng.choice(streams)) for n in range(CASES // 3)}
    for name, data in saved.items():
        (home / name).write_bytes(data)
    done = subprocess.run(
        [product.BINARY, "verify", "--stream", "--json", *saved],
        cwd=home,
        env=product.environment(home),
        capture_output=True,
        text=True,
    )
    wrong, seen = [], Counter()
    for line in done.stdout.split("\n")[:-1]:
        verdict = json.loads(line)
        outcome, status, reason, count, signed, size, complete = evidence_verify.verify_stream(
            saved[verdict["file"]], evidence_verify.options([])
        )
        mine = [outcome, status, count, signed]
        theirs = [verdict[name] for name in ("verdict", "exitStatus", "signedTokens", "signedBytes")]
        if outcome != "refuted":  # what is whole or not after a refutation is nobody's claim
            mine, theirs = mine + [size, complete], theirs + [verdict["textBytes"], verdict["isComplete"]]
        seen[outcome] += 1
        if mine != theirs:
            wrong.append(f"{verdict['file']}: {mine} ({reason}) here, {theirs} ({verdict['reason']}) there")
    if keep := os.environ.get("EVIDENT_EVIDENCE_KEEP"):
        for text in wrong:
            (Path(keep) / text.split(":")[0]).write_bytes(saved[text.split(":")[0]])
    assert not wrong, f"{len(wrong)} differ (EVIDENT_TEST_SEED={SEED}):\n" + "\n".join(wrong)
    assert len(seen) == 3 and seen["verified"] > CASES // 20 and seen["refuted"] > CASES // 20, seen
