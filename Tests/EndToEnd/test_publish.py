"""evident publish and evident import, against the PyPI package model_signing in both directions."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import BINARY, ROOT, environment, peak, run

FIXTURES = ROOT / "Tests" / "ModelSigningTests" / "Fixtures"
TINY = ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "tiny-llama"
GGUF = ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "gguf"
PUBLISHED = ["README.md", "model.pack", "model.sig", "signer.pem"]


def model_signing(*arguments, check=0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "model_signing", *map(str, arguments)], capture_output=True, timeout=120, text=True)
    assert done.returncode == check, done.stdout + done.stderr
    return done.stdout + done.stderr


def verifies(folder, key, check=0) -> str:
    return model_signing("verify", "key", folder, "--signature", folder / "model.sig", "--public_key", key, check=check)


def key_pair(folder: Path, curve) -> tuple[Path, Path]:
    key = ec.generate_private_key(curve)
    private, public = folder / f"{curve.name}.key.pem", folder / f"{curve.name}.pub.pem"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture()
def published(tmp_path) -> Path:
    run(tmp_path, "publish", "evident-tiny", "out")
    return tmp_path / "out"


def imported(home, *arguments, **extra) -> dict:
    return json.loads(run(home, "import", *map(str, arguments), "--json", **extra).out)


def refused(home, *arguments) -> str:
    done = run(home, "import", *map(str, arguments), check=None)
    assert done.returncode == 1 and done.err.startswith("Error: ") and "Fatal" not in done.err, done.err
    names = [n for m in json.loads(run(home, "list", "--json").out) for n in m["names"]]
    assert names == ["evident-tiny"], "nothing is kept of a model that was refused"
    return done.err


def test_published_folder_is_accepted_by_model_signing(tmp_path, published):
    assert sorted(p.name for p in published.iterdir()) == PUBLISHED
    key = tmp_path / "mine.pem"
    key.write_text(run(tmp_path, "keys", "--model-signing").out)
    assert key.read_text() == (published / "signer.pem").read_text()
    assert "Verification succeeded" in verifies(published, key)
    # Signed in its final place or another, with what version control adds: the signature stays good.
    moved = tmp_path / "elsewhere"
    published.rename(moved)
    (moved / ".gitattributes").write_text("*.pack filter=lfs\n")
    (moved / ".git").mkdir()
    (moved / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert "Verification succeeded" in verifies(moved, key)
    assert imported(tmp_path, moved, "--signer", key, "--require-signature")["signature"]["state"] == "trusted"


def test_import_of_a_published_folder(tmp_path, published):
    digest = json.loads(run(tmp_path, "list", "--json").out)[0]["digest"]
    fingerprint = json.loads(run(tmp_path, "keys", "--model-signing", "--json").out)["fingerprint"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    done = run(elsewhere, "import", str(published), "--name", "copy")
    assert "unknown key" in done.err and fingerprint in done.err and digest in done.out
    assert "signed by" not in run(elsewhere, "show", "copy").out
    report = imported(elsewhere, published)
    assert report["name"] == "out" and report["digest"] == digest
    assert report["signature"] == {"state": "unknown", "fingerprint": fingerprint, "checked": True}

    done = run(elsewhere, "import", str(published), "--require-signature", check=1)
    assert "do not trust" in done.err and fingerprint in done.err and "hint:" in done.err
    assert imported(elsewhere, published, "--signer", published / "signer.pem")["signature"]["signer"] == "signer.pem"
    assert f"signer.pem  {fingerprint}" in run(elsewhere, "show", "out").out
    about = json.loads(run(elsewhere, "show", "out", "--json").out)["about"]
    assert about["signature"] == {"signer": "signer.pem", "fingerprint": fingerprint}
    run(elsewhere, "rm", "out")
    run(elsewhere, "rm", "copy")
    assert not [p for p in elsewhere.rglob("signatures/*")]

    # Keys that are kept beside the configuration file.
    folder = elsewhere / ".config" / "evident" / "trusted-signers"
    folder.mkdir(parents=True)
    shutil.copy(published / "signer.pem", folder / "alice.pem")
    (folder / "README").write_text("not a key\n")
    assert imported(elsewhere, published, "--require-signature")["signature"]["signer"] == "alice.pem"
    (folder / "bob.pem").write_text("not a key\n")
    done = run(elsewhere, "import", str(published), check=1)
    assert "bob.pem is not a public key to trust" in done.err
    assert run(elsewhere, "run", "out", "What is Evident?").out == run(tmp_path, "run", "What is Evident?").out


def test_pack_files_are_imported_too(tmp_path, published):
    pack = tmp_path / "tiny.pack"
    shutil.copy(published / "model.pack", pack)
    assert imported(tmp_path, pack)["name"] == "tiny"
    # The folder's signature covers the pack in it; a file of its own has FILE.sig.
    assert imported(tmp_path, published / "model.pack")["signature"]["state"] == "unknown"
    private, public = key_pair(tmp_path, ec.SECP256R1())
    model_signing("sign", "key", pack, "--signature", tmp_path / "tiny.pack.sig", "--private_key", private)
    assert imported(tmp_path, pack, "--signer", public)["signature"]["state"] == "trusted"
    pack.write_bytes((published / "model.pack").read_bytes()[:-1])
    done = run(tmp_path, "import", str(pack), check=1)
    assert 'refuses this model' in done.err and 'changed: "tiny.pack"' in done.err
    (tmp_path / "tiny.pack.sig").unlink()
    assert "pack" in run(tmp_path, "import", str(pack), check=1).err


def change_a_byte(folder):
    path = folder / "model.pack"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def link(folder):
    shutil.move(folder / "README.md", folder.parent / "README.md")
    (folder / "README.md").symlink_to(folder.parent / "README.md")


@pytest.mark.parametrize(
    "change, word",
    [
        (change_a_byte, 'changed: "model.pack"'),
        (lambda f: (f / "README.md").unlink(), 'missing: "README.md"'),
        (lambda f: (f / "extra.txt").write_text("x"), 'not signed: "extra.txt"'),
        (lambda f: (f / "sub").mkdir() or (f / "sub" / "config.json").write_text("{}"), 'not signed: "sub/config.json"'),
        (link, '"README.md" is a symbolic link'),
        (lambda f: (f / "model.sig").write_text("{}"), "mediaType is missing"),
        (lambda f: (f / "model.sig").write_bytes(b"\x00" * 100), "cannot be read"),
    ],
)
def test_changed_folders_are_refused_by_both(tmp_path, published, change, word):
    key = tmp_path / "mine.pem"
    shutil.copy(published / "signer.pem", key)
    change(published)
    verifies(published, key, check=1)
    for flags in ([], ["--signer", key]):
        assert word in refused(tmp_path, published, *flags)


def test_a_forged_signature_is_refused(tmp_path, published):
    """Signed anew by someone else, in the name of the key that is trusted."""
    key = tmp_path / "mine.pem"
    shutil.copy(published / "signer.pem", key)
    hint = json.loads((published / "model.sig").read_text())["verificationMaterial"]
    (published / "model.sig").unlink()
    (published / "README.md").write_text("# Another\n")
    run(tmp_path, "publish", "--sign-only", str(published), HOME=str(tmp_path / "mallory"))
    # By Mallory, who is nobody: reported, and no more.
    assert "unknown key" in run(tmp_path, "import", str(published), "--signer", str(key), "--name", "m").err
    run(tmp_path, "rm", "m")
    signature = json.loads((published / "model.sig").read_text())
    signature["verificationMaterial"] = hint
    (published / "model.sig").write_text(json.dumps(signature))
    assert "was not made by the key that it names" in refused(tmp_path, published, "--signer", key)


def test_sign_only_leaves_the_folder_as_it_is(tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    unsigned = imported(tmp_path, folder, "--name", "unsigned")
    assert unsigned["signature"] == {"state": "none"}
    done = run(tmp_path, "import", str(folder), "--require-signature", check=1)
    assert "not signed" in done.err
    run(tmp_path, "publish", "--sign-only", str(folder))
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "model.sig"} == before
    key = tmp_path / "mine.pem"
    key.write_text(run(tmp_path, "keys", "--model-signing").out)
    assert "Verification succeeded" in verifies(folder, key)
    signed = imported(tmp_path, folder, "--signer", key, "--require-signature")
    assert signed["digest"] == unsigned["digest"] and signed["signature"]["state"] == "trusted"
    # Without its key nobody can tell whether the signature is in order; the files are checked all the same.
    assert imported(tmp_path, folder)["signature"]["checked"] is False
    assert "already" in run(tmp_path, "publish", "--sign-only", str(folder), check=1).err


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: c.name)
def test_signatures_of_model_signing_are_checked(tmp_path, curve):
    private, public = key_pair(tmp_path, curve)
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    (folder / "notes").mkdir()
    (folder / "notes" / "caf\u00e9 \U0001f600.txt").write_text("x")
    (folder / "notes-2").write_text("x")
    model_signing("sign", "key", folder, "--signature", folder / "model.sig", "--private_key", private)
    assert imported(tmp_path, folder, "--signer", public, "--require-signature")["signature"]["state"] == "trusted"
    # And the other way round, with the same key.
    (folder / "model.sig").unlink()
    run(tmp_path, "publish", "--sign-only", str(folder), "--key", str(private))
    assert "Verification succeeded" in verifies(folder, public)
    assert run(tmp_path, "keys", "--model-signing", "--key", str(private)).out == public.read_text()


def test_symbolic_links_as_in_a_cache(tmp_path):
    blobs, folder = tmp_path / "blobs", tmp_path / "snapshot"
    shutil.copytree(TINY, blobs)
    folder.mkdir()
    for path in blobs.iterdir():
        (folder / path.name).symlink_to(path)
    assert "--allow-symlinks" in run(tmp_path, "publish", "--sign-only", str(folder), check=1).err
    run(tmp_path, "publish", "--sign-only", str(folder), "--allow-symlinks")
    key = tmp_path / "mine.pem"
    key.write_text(run(tmp_path, "keys", "--model-signing").out)
    model_signing(
        "verify", "key", folder, "--signature", folder / "model.sig", "--public_key", key, "--allow_symlinks")
    assert imported(tmp_path, folder, "--signer", key)["signature"]["state"] == "trusted"
    # The same files as files, signed as such, and then kept as links.
    (folder / "model.sig").unlink()
    run(tmp_path, "publish", "--sign-only", str(blobs))
    shutil.move(blobs / "model.sig", folder / "model.sig")
    run(tmp_path, "import", str(folder), "--signer", str(key), check=1)
    assert imported(tmp_path, folder, "--signer", key, "--allow-symlinks")["signature"]["state"] == "trusted"


def test_files_that_the_signer_left_out_are_not_imported(tmp_path):
    private, public = key_pair(tmp_path, ec.SECP256R1())
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    model_signing(
        "sign", "key", folder, "--signature", folder / "model.sig", "--private_key", private,
        "--ignore-paths", folder / "tokenizer_config.json")
    assert "tokenizer_config.json" in refused(tmp_path, folder, "--signer", public)


@pytest.mark.parametrize("kind", ["certificate", "shards", "blake3"])
def test_other_kinds_of_signatures_are_named(tmp_path, kind):
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    shutil.copy(FIXTURES / f"{kind}.sig", folder / "model.sig")
    done = run(tmp_path, "import", str(folder))
    assert "not checked" in done.err and "model_signing" in done.err
    assert imported(tmp_path, folder)["signature"]["state"] == "uncheckable"
    assert "cannot be checked here" in run(tmp_path, "import", str(folder), "--require-signature", check=1).err


def test_gguf_files_alone_and_in_parts(tmp_path):
    private, public = key_pair(tmp_path, ec.SECP256R1())
    folder = tmp_path / "m"
    folder.mkdir()
    for path in GGUF.glob("tiny-llama*.gguf"):
        shutil.copy(path, folder)
    model_signing("sign", "key", folder, "--signature", folder / "model.sig", "--private_key", private)
    for name in ("tiny-llama.gguf", "tiny-llama-00002-of-00003.gguf"):
        assert imported(tmp_path, folder / name, "--signer", public, "--name", "m")["signature"]["state"] == "trusted"
    run(tmp_path, "rm", "m")
    # The part that is named is as it was; another one, which the import reads as well, is not.
    last = folder / "tiny-llama-00003-of-00003.gguf"
    data = bytearray(last.read_bytes())
    data[-1] ^= 1
    last.write_bytes(data)
    assert "00003" in refused(tmp_path, folder / "tiny-llama-00001-of-00003.gguf", "--signer", public)


def test_where_the_signature_lies(tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    run(tmp_path, "publish", "--sign-only", str(folder))
    (folder / "model.sig").rename(folder / "other.sig")
    key = tmp_path / "mine.pem"
    key.write_text(run(tmp_path, "keys", "--model-signing").out)
    assert imported(tmp_path, folder)["signature"]["state"] == "none"
    for path in (folder / "other.sig", Path("tiny/./other.sig")):
        assert imported(tmp_path, folder, "--signature", path, "--signer", key)["signature"]["state"] == "trusted"
    shutil.move(folder / "other.sig", tmp_path / "apart.sig")
    assert imported(tmp_path, folder, "--signature", "apart.sig", "--signer", key)["signature"]["state"] == "trusted"
    assert "nowhere.sig" in run(tmp_path, "import", str(folder), "--signature", "nowhere.sig", check=1).err


def test_publish_refuses_what_it_would_spoil(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert "hint:" in run(tmp_path, "publish", "evident-tiny", "full", check=1).err
    assert os.listdir(tmp_path / "full") == ["mine.txt"]
    (tmp_path / "file").write_text("mine")
    run(tmp_path, "publish", "evident-tiny", "file", check=1)
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    run(tmp_path, "publish", "evident-tiny", "empty/")
    assert sorted(os.listdir(tmp_path / "empty")) == PUBLISHED
    run(tmp_path, "publish", "evident-tiny", "new/folders/out")
    for arguments in (
        ["publish"], ["publish", "evident-tiny"], ["publish", "no-such-model", "out"], ["publish", "evident-tiny", "."],
        ["publish", "evident-tiny", "out", "--key", "none.pem"], ["publish", "--sign-only", "nowhere"],
        ["publish", "--sign-only", "full", "evident-tiny"], ["publish", "evident-tiny", "out", "--allow-symlinks"],
        ["keys", "--key", "x.pem"],
    ):
        done = run(tmp_path, *arguments, check=None)
        assert done.returncode in (1, 64) and "rror" in done.err and "Fatal" not in done.err, done.err
    assert not (tmp_path / "out").exists() and not leftovers(tmp_path)


def test_keys_that_cannot_be_used(tmp_path):
    for key, word in [
        ("p256.encrypted.key.pem", "openssl pkcs8"), ("secp256k1.key.pem", "P-256, P-384 or P-521"), ("p256.pub.pem", "PRIVATE KEY"),
    ]:
        shutil.copy(FIXTURES / key, tmp_path / key)
        os.chmod(tmp_path / key, 0o600)
        assert word in run(tmp_path, "publish", "evident-tiny", "out", "--key", key, check=1).err
    shutil.copy(FIXTURES / "p256.key.pem", tmp_path / "open.pem")
    os.chmod(tmp_path / "open.pem", 0o644)
    assert "chmod 600 open.pem" in run(tmp_path, "publish", "evident-tiny", "out", "--key", "open.pem", check=1).err
    shown = json.loads(run(tmp_path, "keys", "--model-signing", "--json").out)
    assert os.stat(shown["path"]).st_mode & 0o777 == 0o600
    assert shown == json.loads(run(tmp_path, "keys", "--model-signing", "--json").out)
    assert not (tmp_path / "out").exists()


def leftovers(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.name.startswith(".evident-incoming-")]


def interrupted(home: Path, number: int, after: float, *arguments: str) -> int:
    process = subprocess.Popen(
        [str(BINARY), *arguments], env=environment(home), cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.send_signal(number)
    return process.wait(30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_interrupted_publishing_leaves_all_or_nothing(tmp_path, number):
    """Whenever the signal comes, the folder is whole or not there."""
    run(tmp_path, "publish", "evident-tiny", "first")
    ended = set()
    for i in range(24):
        out = tmp_path / f"out{i}"
        ended.add(interrupted(tmp_path, number, i * 0.002, "publish", "evident-tiny", out.name))
        if out.exists():
            assert sorted(os.listdir(out)) == PUBLISHED
            assert imported(tmp_path, out, "--signer", out / "signer.pem")["signature"]["state"] == "trusted"
        if number != signal.SIGKILL:
            assert not leftovers(tmp_path)
    assert ended <= {0, 130, -number} and (-number if number == signal.SIGKILL else 130) in ended, ended
    # What a killed process leaves is swept later, and never what lives.
    for path in leftovers(tmp_path):
        os.utime(path, (time.time() - 7200,) * 2)
    run(tmp_path, "publish", "evident-tiny", "last")
    assert not leftovers(tmp_path)


def test_signing_large_files_takes_little_memory_and_can_be_stopped(tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    with open(folder / "weights.bin", "wb") as file:
        file.truncate(1 << 30)
    assert interrupted(tmp_path, signal.SIGINT, 0.2, "publish", "--sign-only", "large") == 130
    assert os.listdir(folder) == ["weights.bin"]
    assert peak(tmp_path, "publish", "--sign-only", "large") < 128 << 20
    assert sorted(os.listdir(folder)) == ["model.sig", "weights.bin"]
