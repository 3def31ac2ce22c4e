"""`evident pull` of a signed repository: the signature is fetched and checked as an import would."""

import json
import shutil

import pytest

from conftest import ROOT, run
from model_files import llama, write
from test_pull import WEIGHTS, cache, hub, leftovers, names, pull, pulled, refused  # noqa: F401

GGUF = ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "gguf" / "tiny-llama.gguf"
SIGNATURES = ROOT / "Tests" / "ModelSigningTests" / "Fixtures"


def read(folder) -> dict:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def signed(home, files: dict, signer: str = "alice", name: str = "signed") -> dict:
    """The files with a signature over all of them; its key is SIGNER.pem."""
    folder = home / f"{name}-by-{signer}"
    write(files, folder)
    key = home / signer
    run(home, "publish", "--sign-only", folder.name, HOME=str(key))
    (home / f"{signer}.pem").write_text(run(home, "keys", "--model-signing", HOME=str(key)).out)
    return read(folder)


def changed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def test_a_signed_repository(tmp_path, hub):
    files = signed(tmp_path, llama(1))
    hub.add("org/m", files)
    fingerprint = json.loads(run(tmp_path, "keys", "--model-signing", "--json", HOME=str(tmp_path / "alice")).out)["fingerprint"]
    # By nobody we know: reported, and not remembered.
    done = pull(tmp_path, hub, "org/m")
    assert "unknown key" in done.err and fingerprint in done.err and "signed by" not in run(tmp_path, "show", "m").out
    # The model is here already; the signature is looked at all the same.
    again = pulled(tmp_path, hub, "org/m")
    assert again["present"] and again["signature"] == {"state": "unknown", "fingerprint": fingerprint, "checked": False}
    assert "do not trust" in pull(tmp_path, hub, "org/m", "--require-signature", check=1).err
    assert not leftovers(tmp_path)
    outcome = pulled(tmp_path, hub, "org/m", "--signer", "alice.pem", "--require-signature")
    assert outcome["signature"] == {"state": "trusted", "signer": "alice.pem", "fingerprint": fingerprint}
    assert f"alice.pem  {fingerprint}" in run(tmp_path, "show", "m").out
    run(tmp_path, "rm", "m")
    outcome = pulled(tmp_path, hub, "org/m", "--signer", "alice.pem", "--require-signature")
    assert not outcome["present"] and f"alice.pem  {fingerprint}" in run(tmp_path, "show", "m").out
    assert not leftovers(tmp_path)
    # Kept files are a part of what was signed; they can be imported all the same.
    run(tmp_path, "rm", "m")
    kept = pulled(tmp_path, hub, "org/m", "--keep")["folder"]
    assert not [p for p in leftovers(tmp_path) if p.name == "model.sig"]
    assert json.loads(run(tmp_path, "import", kept, "--name", "m", "--json").out)["digest"] == outcome["digest"]
    # The same files as `import` sees them.
    done = run(tmp_path, "import", "signed-by-alice", "--signer", "alice.pem", "--require-signature", "--json")
    assert json.loads(done.out)["digest"] == outcome["digest"]
    run(tmp_path, "rm", "--downloads")
    # With the public key beside it, the signature itself can be checked.
    hub.add("org/with-key", files | {"signer.pem": (tmp_path / "alice.pem").read_bytes()})
    assert pulled(tmp_path, hub, "org/with-key")["signature"]["checked"] is True


def tampered(path):
    return lambda files: files | {path: changed(files[path])}


def without(path):
    return lambda files: {p: c for p, c in files.items() if p != path}


def resigned(files, mallory):
    """Signed anew by someone else, in the name of the trusted key."""
    theirs = json.loads(mallory["model.sig"])
    theirs["verificationMaterial"] = json.loads(files["model.sig"])["verificationMaterial"]
    return mallory | {"model.sig": json.dumps(theirs).encode()}


@pytest.mark.parametrize("flags", [[], ["--signer", "alice.pem"]], ids=["unknown", "trusted"])
@pytest.mark.parametrize(
    "change, word",
    [
        (tampered(WEIGHTS), f'changed: "{WEIGHTS}"'),
        (lambda f: f | {"config.json": f["config.json"] + b" "}, 'changed: "config.json"'),
        (without("tokenizer_config.json"), 'missing: "tokenizer_config.json"'),
        (lambda f: f | {"chat_template.jinja": b"{{ 1 }}"}, 'not signed: "chat_template.jinja"'),
        (lambda f: f | {"model.sig": b"{}"}, "mediaType is missing"),
        (lambda f: f | {"model.sig": f["model.sig"][:-40]}, "cannot be read"),
    ],
    ids=["weights", "config", "missing", "added", "empty", "cut"],
)
def test_changed_repositories_are_refused(tmp_path, hub, change, word, flags):
    files = signed(tmp_path, llama(0.2))
    hub.add("org/m", change(files))
    text = refused(tmp_path, hub, "org/m", *flags)
    assert word in text and "hint:" in text, text
    # Not one byte of the weights was fetched.
    assert not hub.sent(WEIGHTS)


def test_a_forged_signature_is_refused(tmp_path, hub):
    files = signed(tmp_path, llama(0.2))
    mallory = signed(tmp_path, llama(0.2, seed=2), "mallory")
    hub.add("org/m", resigned(files, mallory))
    assert "not made by the key that it names" in refused(tmp_path, hub, "org/m", "--signer", "alice.pem")
    hub.add("org/m", mallory)
    assert "do not trust" in refused(tmp_path, hub, "org/m", "--signer", "alice.pem", "--require-signature")
    assert pulled(tmp_path, hub, "org/m", "--signer", "alice.pem")["signature"]["state"] == "unknown"


def test_files_are_checked_as_they_arrived(tmp_path, hub):
    """A hub that says one thing and sends another, in a way that its own digests do not show."""
    files = signed(tmp_path, llama(0.2))
    repository = hub.add("org/m", files)
    cache(tmp_path, "org/m", repository, plain=True)
    path = next((tmp_path / ".cache").rglob(WEIGHTS))
    path.write_bytes(changed(files[WEIGHTS]))
    # Files of a cache that does not say what they are: only the signature does.
    text = refused(tmp_path, None, "org/m", "--offline", "--signer", "alice.pem")
    assert f'changed: "{WEIGHTS}"' in text
    path.write_bytes(files[WEIGHTS])
    outcome = pulled(tmp_path, None, "org/m", "--offline", "--signer", "alice.pem", "--require-signature")
    assert outcome["signature"]["state"] == "trusted" and names(tmp_path) == ["m"]


def test_offline_from_the_cache(tmp_path, hub):
    files = signed(tmp_path, llama(0.2))
    repository = hub.add("org/m", files)
    cache(tmp_path, "org/m", repository)
    outcome = pulled(tmp_path, None, "org/m", "--offline", "--signer", "alice.pem", "--require-signature")
    assert outcome["signature"]["state"] == "trusted" and "signed by" in run(tmp_path, "show", "m").out
    run(tmp_path, "rm", "m")
    for name, change, word in [
        ("weights", tampered(WEIGHTS), f'changed: "{WEIGHTS}"'),
        ("signature", lambda f: f | {"model.sig": changed(f["model.sig"])}, "org/signature/model.sig"),
    ]:
        cache(tmp_path, f"org/{name}", hub.add(f"org/{name}", change(files)))
        assert word in refused(tmp_path, None, f"org/{name}", "--offline", "--signer", "alice.pem")
    # A cache that never had the signature, and a store that only remembers what somebody once found.
    cache(tmp_path, "org/bare", hub.add("org/bare", files), only=[p for p in files if p != "model.sig"])
    assert "not signed" in refused(tmp_path, None, "org/bare", "--offline", "--require-signature")
    assert pulled(tmp_path, None, "org/bare", "--offline")["signature"] == {"state": "none"}
    shutil.rmtree(tmp_path / ".cache")
    assert "not signed" in pull(tmp_path, None, "org/bare", "--offline", "--require-signature", check=1).err
    again = pulled(
        tmp_path, None, "org/bare", "--offline", "--require-signature", "--signer", "alice.pem", "--signature",
        "signed-by-alice/model.sig")
    assert again["present"] and again["signature"]["state"] == "trusted"


def test_shards_and_a_signature_from_elsewhere(tmp_path, hub):
    files = signed(tmp_path, llama(0.5, shards=3))
    shard = "model-00002-of-00003.safetensors"
    hub.add("org/m", tampered(shard)(files))
    assert f'changed: "{shard}"' in refused(tmp_path, hub, "org/m")
    assert not hub.sent(shard) and not hub.sent("model-00001-of-00003.safetensors")
    hub.add("org/m", without("model.sig")(files))
    assert "not signed" in refused(tmp_path, hub, "org/m", "--require-signature")
    flags = ["--signer", "alice.pem", "--require-signature", "--signature", "signed-by-alice/model.sig"]
    assert pulled(tmp_path, hub, "org/m", *flags)["signature"]["state"] == "trusted"


def test_gguf_files_beside_each_other(tmp_path, hub):
    content = GGUF.read_bytes()
    files = signed(tmp_path, {"q8/m-Q8_0.gguf": content, "q4/m-Q4_0.gguf": changed(content)})
    flags = ["--signer", "alice.pem", "--require-signature"]
    # What is not chosen is not looked at.
    hub.add("org/m", files | {"q4/m-Q4_0.gguf": content})
    assert pulled(tmp_path, hub, "org/m:Q8_0", *flags)["signature"]["state"] == "trusted"
    assert 'changed: "q4/m-Q4_0.gguf"' in pull(tmp_path, hub, "org/m:Q4_0", *flags, check=1).err
    run(tmp_path, "rm", "m:q8_0")
    # Signed in its own folder.
    inner = signed(tmp_path, {"m-Q8_0.gguf": content}, name="inner")
    hub.add("org/n", {"q8/" + p: c for p, c in inner.items()})
    assert pulled(tmp_path, hub, "org/n", *flags)["signature"]["state"] == "trusted"


@pytest.mark.parametrize("kind", ["certificate", "shards", "blake3"])
def test_other_kinds_of_signatures_are_named(tmp_path, hub, kind):
    hub.add("org/m", llama(0.1) | {"model.sig": (SIGNATURES / f"{kind}.sig").read_bytes()})
    assert "cannot be checked here" in refused(tmp_path, hub, "org/m", "--require-signature")
    assert "not checked" in pull(tmp_path, hub, "org/m").err
    assert pulled(tmp_path, hub, "org/m")["signature"]["state"] == "uncheckable"


def test_a_signature_has_a_size(tmp_path, hub):
    hub.add("org/m", llama(0.1) | {"model.sig": bytes((32 << 20) + 1)})
    assert "model.sig has more than" in refused(tmp_path, hub, "org/m") and not hub.sent("model.sig")
