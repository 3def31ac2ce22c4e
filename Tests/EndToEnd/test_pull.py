"""`evident pull` against a hub on loopback: what it fetches, what it refuses, what it says."""

import hashlib
import json
import shutil
import subprocess

import pytest

from conftest import environment, run
from hub_server import Hub, Tunnel, git_blob
from model_files import FIXTURE, llama, tiny, write

BIG = llama(20)  # three parts of at most 8 MiB
WEIGHTS = "model.safetensors"
SIZE = len(BIG[WEIGHTS])


@pytest.fixture
def hub():
    hub = Hub()
    yield hub
    hub.close()


def pull(home, hub, *arguments, check=0, timeout=60, **extra):
    endpoint = {"HF_ENDPOINT": hub.url} if hub else {}
    return run(home, "pull", *arguments, check=check, timeout=timeout, **(endpoint | extra))


def pulled(home, hub, *arguments, **extra) -> dict:
    return json.loads(pull(home, hub, *arguments, "--json", **extra).out)


def names(home) -> list:
    return [n for m in json.loads(run(home, "list", "--json").out) for n in m["names"]][1:]


def store(home):
    return home / ".local" / "share" / "evident" / "models"


def leftovers(home) -> list:
    return [p for p in store(home).glob("downloads/**/*") if p.is_file() and p.suffix != ".lock"]


def refused(home, hub, *arguments, **extra) -> str:
    """One clear error, nothing in the store."""
    done = pull(home, hub, *arguments, check=None, **extra)
    assert done.returncode == 1 and done.out == "", done.out
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "Fatal" not in done.err, done.err
    assert names(home) == []
    return done.err


def test_pull_is_import(tmp_path, hub):
    files = tiny()
    repository = hub.add("Org/Tiny_Model-1.5", files | {"pytorch_model.bin": b"x" * 5000, "sub/extra.json": b"{}"})
    outcome = pulled(tmp_path, hub, "Org/Tiny_Model-1.5")
    write(files, tmp_path / "here")
    imported = json.loads(run(tmp_path, "import", str(tmp_path / "here"), "--name", "copy", "--json").out)
    assert outcome["digest"] == imported["digest"] and outcome["name"] == "tiny_model-1.5"
    assert outcome["commit"] == repository.commit and not outcome["present"]
    assert outcome["bytesDownloaded"] == sum(map(len, files.values()))
    assert not hub.requests("pytorch_model.bin") and not hub.requests("extra.json")
    assert not leftovers(tmp_path) and not list(store(tmp_path).glob("downloads/*/"))
    # Again, and by name of the repository: nothing is fetched.
    hub.forget()
    again = pulled(tmp_path, hub, "Org/Tiny_Model-1.5", "--name", "second:tag")
    assert again["present"] and again["bytesDownloaded"] == 0 and again["digest"] == outcome["digest"]
    assert not hub.requests("resolve") and "second:tag" in names(tmp_path)
    # The import came later; what the hub said of the same content stays.
    assert "Org/Tiny_Model-1.5 at" in run(tmp_path, "show", "copy").out


def test_show_and_list_say_where_it_came_from(tmp_path, hub):
    repository = hub.add("org/tiny", tiny(), revisions={"main", "v1.0"})
    pulled(tmp_path, hub, "org/tiny@v1.0")
    text = run(tmp_path, "show", "org/tiny").out
    assert f"{hub.url}/org/tiny at {repository.commit} (v1.0)" in text and "apache-2.0" in text
    about = json.loads(run(tmp_path, "show", "tiny", "--json").out)["about"]
    assert about["licence"] == "apache-2.0" and about["provenance"]["hub"]["repository"] == "org/tiny"
    assert {f["path"] for f in about["provenance"]["hub"]["files"]} == set(tiny(card=False))
    listed = json.loads(run(tmp_path, "list", "--json").out)[1]
    assert listed["licence"] == "apache-2.0" and listed["imported"].startswith("20") and "org/tiny" in listed["source"]
    # None of it is part of the identity.
    assert "org/tiny" not in run(tmp_path, "show", "tiny", "--manifest").out


def test_licence_of_the_hub_goes_first_and_may_be_missing(tmp_path, hub):
    hub.add("org/stated", tiny(), licence="mit")
    hub.add("org/silent", llama(0.1, card=False))
    assert pulled(tmp_path, hub, "org/stated")["licence"] == "mit"
    assert pulled(tmp_path, hub, "org/silent")["licence"] is None
    assert "not stated" in run(tmp_path, "show", "silent").out


def test_shards_pages_and_another_host(tmp_path):
    hub = Hub(cdn=True, page=3)
    try:
        files = llama(20, shards=3)
        hub.add("org/sharded", files, private=True)
        outcome = pulled(tmp_path, hub, "org/sharded", HF_TOKEN="hf_good")
        write(files, tmp_path / "here")
        assert outcome["digest"] == json.loads(run(tmp_path, "import", "here", "--json").out)["digest"]
        assert len(hub.requests("/tree/")) == 3
        # The token goes to the hub with every request, and to nobody else.
        assert all(s.token == "Bearer hf_good" for s in hub.requests("", place="hub"))
        elsewhere = hub.requests("", place="cdn")
        assert len(elsewhere) == 3 and all(s.token is None for s in elsewhere)
    finally:
        hub.close()


def test_parts_over_several_connections(tmp_path, hub):
    hub.add("org/big", BIG)
    assert pulled(tmp_path, hub, "org/big", "--connections", "3")["bytesDownloaded"] == sum(map(len, BIG.values()))
    ranges = [s.range for s in hub.requests(WEIGHTS)]
    assert len(ranges) == 3 and len(set(ranges)) == 3 and hub.sent(WEIGHTS) == SIZE


@pytest.mark.parametrize(
    "options, reference, extra, words",
    [
        ({}, "org/none", {}, ["no public repository org/none", "HF_TOKEN"]),
        ({}, "org/none", {"HF_TOKEN": "hf_good"}, ["no repository org/none that your token may see"]),
        ({}, "org/m@v9", {}, ["no branch, tag or commit v9"]),
        ({"private": True}, "org/m", {}, ["no public repository", "HF_TOKEN"]),
        ({}, "org/m", {"HF_TOKEN": "hf_bad"}, ["does not accept your token"]),
        ({"gated": True}, "org/m", {}, ["is gated", "accept the licence at", "/org/m", "HF_TOKEN"]),
        ({}, "org", {}, ["not a model on a hub", "org/name"]),
        ({}, "org/../m", {}, ["not a model on a hub"]),
        ({}, "org/m@../../x", {}, ["not a branch"]),
        ({}, "org/m", {"HF_ENDPOINT": "ftp://x"}, ["HF_ENDPOINT", "ftp://x"]),
        ({}, "org/m", {"HF_ENDPOINT": "http://127.0.0.1:9"}, ["cannot be reached", "refused"]),
        ({}, "org/m", {"HF_TOKEN": "a b"}, ["HF_TOKEN"]),
    ],
)
def test_what_the_hub_refuses_is_one_clear_error(tmp_path, hub, options, reference, extra, words):
    hub.add("org/m", tiny(), **options)
    text = refused(tmp_path, hub, reference, "--retries", "0", **extra)
    assert all(word in text for word in words), text
    assert not leftovers(tmp_path) or options.get("gated")


def test_gated_with_token_from_file(tmp_path, hub):
    hub.add("org/gated", tiny(), gated=True, private=True)
    folder = tmp_path / ".cache" / "huggingface"
    folder.mkdir(parents=True)
    (folder / "token").write_text("hf_good\n")
    refused(tmp_path, hub, "org/gated", HF_HUB_DISABLE_IMPLICIT_TOKEN="1")
    pulled(tmp_path, hub, "org/gated")


@pytest.mark.parametrize("path", [WEIGHTS, "tokenizer.json"])
def test_wrong_digest_is_refused_and_removed(tmp_path, hub, path):
    hub.add("org/m", llama(1))
    good = hub.repositories["org/m"].files[path]
    hub.faults.content[path] = good[:-1] + bytes([good[-1] ^ 1])
    text = refused(tmp_path, hub, "org/m")
    assert f"{path} arrived with digest" in text and "refused and removed" in text
    stated = hashlib.sha256(good).hexdigest() if path == WEIGHTS else git_blob(good)
    assert stated in text
    assert not list(store(tmp_path).glob(f"downloads/*/{path}*"))
    hub.faults.content.clear()
    pulled(tmp_path, hub, "org/m")


def test_wrong_size_is_refused(tmp_path, hub):
    hub.add("org/m", llama(1))
    hub.add("org/big", BIG)
    for wrong in (100, 10**7):
        hub.faults.content[WEIGHTS] = bytes(wrong)
        assert "the hub states" in refused(tmp_path, hub, "org/m")
    hub.faults.content[WEIGHTS] = BIG[WEIGHTS] + b"!"
    assert f"{SIZE + 1} bytes where it is sent from; the hub states {SIZE}" in refused(tmp_path, hub, "org/big")


def test_full_disk_is_one_clear_error(tmp_path, hub):
    hub.add("org/m", llama(1))
    hub.faults.sizes[WEIGHTS] = 10**13
    text = refused(tmp_path, hub, "org/m")
    assert "not enough disk space" in text and "1000000" in text and "MB are needed" in text and "EVIDENT_MODELS" in text


def test_too_many_requests(tmp_path, hub):
    hub.add("org/m", tiny())
    hub.faults.statuses = [["/tree/", 429, {"Retry-After": "1"}, 1], [WEIGHTS, 503, {}, 1]]
    done = pull(tmp_path, hub, "org/m")
    assert "asks to wait 1 seconds; trying again" in done.err and "HTTP 503" in done.err
    run(tmp_path, "rm", "m")
    hub.faults.statuses = [["/tree/", 429, {"Retry-After": "9999"}, 9]]
    text = refused(tmp_path, hub, "org/m")
    assert "9999 seconds" in text and "trying again" not in text


def test_unusable_repositories_are_refused_before_anything_large_is_fetched(tmp_path, hub):
    files = tiny()
    hub.add("org/torch", {"config.json": files["config.json"], "pytorch_model.bin": b"x" * 5000})
    assert "neither safetensors nor GGUF" in refused(tmp_path, hub, "org/torch")
    hub.add("org/untokenised", {k: v for k, v in files.items() if k != "tokenizer.json"})
    assert "has no tokenizer.json" in refused(tmp_path, hub, "org/untokenised")
    config = json.loads(files["config.json"]) | {"architectures": ["WhisperForConditionalGeneration"]}
    hub.add("org/whisper", files | {"config.json": json.dumps(config).encode(), WEIGHTS: bytes(9_000_000)})
    assert "WhisperForConditionalGeneration" in refused(tmp_path, hub, "org/whisper")
    assert hub.sent(WEIGHTS) == 0


def test_gguf_files_are_listed_and_chosen(tmp_path, hub):
    gguf = b"GGUF" + bytes(100)
    files = ["m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-Q8_0.gguf", "x/m-Q8_0.gguf", "mmproj-m-F16.gguf",
             "m-BF16-00001-of-00002.gguf", "m-BF16-00002-of-00002.gguf"]
    hub.add("org/m-GGUF", {name: gguf for name in files})
    text = refused(tmp_path, hub, "org/m-GGUF")
    assert "several GGUF files" in text and "m-Q4_K_M.gguf" in text and "evident pull org/m-GGUF:" in text
    assert "mmproj" not in text
    assert "fits several files: m-Q8_0.gguf, x/m-Q8_0.gguf" in refused(tmp_path, hub, "org/m-GGUF:q8_0")
    text = refused(tmp_path, hub, "org/m-GGUF:Q6_K")
    assert "no GGUF file that fits" in text and "m-Q4_K_S.gguf" in text
    hub.add("org/half-GGUF", {"m-00001-of-00002.gguf": gguf})
    assert "part 2 is missing" in refused(tmp_path, hub, "org/half-GGUF")
    assert "no GGUF file that fits" in refused(tmp_path, hub, "org/m-GGUF:Q4_K")
    assert not hub.requests("/resolve/")


def test_gguf_files_are_pulled(tmp_path, hub):
    folder = FIXTURE.parent / "gguf"
    whole = (folder / "tiny-llama.gguf").read_bytes()
    parts = {p.name: p.read_bytes() for p in sorted(folder.glob("tiny-llama-0*.gguf"))}
    hub.add("org/Tiny-GGUF", {"tiny-llama-F32.gguf": whole, "other-Q8_0.gguf": b"GGUF", "README.md": b"# Tiny"}, licence="mit")
    hub.add("org/split-GGUF", {f"F32/{name}": content for name, content in parts.items()})
    outcome = pulled(tmp_path, hub, "org/Tiny-GGUF:F32")
    assert outcome["name"] == "tiny:f32" and outcome["licence"] == "mit" and not hub.requests("other-Q8_0.gguf")
    imported = json.loads(run(tmp_path, "import", str(folder / "tiny-llama.gguf"), "--name", "same", "--json").out)
    # A GGUF file's own name is no part of what it is; but the manifest says what it was made from.
    assert imported["digest"] != outcome["digest"] or "tiny-llama-F32" not in run(tmp_path, "show", "same").out
    assert len(parts) == 3
    split = pulled(tmp_path, hub, "org/split-GGUF")
    assert split["bytesDownloaded"] == sum(map(len, parts.values()))
    by_hand = run(tmp_path, "import", str(folder / sorted(parts)[0]), "--name", "parts", "--json")
    assert json.loads(by_hand.out)["digest"] == split["digest"] and not leftovers(tmp_path)
    assert pulled(tmp_path, hub, "org/split-GGUF")["present"]


def test_another_format_of_weights_is_another_model(tmp_path, hub):
    hub.add("org/m", llama(0.5))
    eight = pulled(tmp_path, hub, "org/m")
    four = pulled(tmp_path, hub, "org/m", "--weights", "4bit", "--name", "m:4bit")
    assert eight["digest"] != four["digest"] and not four["present"]
    assert pulled(tmp_path, hub, "org/m", "--weights", "4bit", "--name", "m:4bit")["present"]
    assert "4-bit" in run(tmp_path, "show", "m:4bit").out and "4-bit" not in run(tmp_path, "show", "m").out


def test_a_name_is_not_taken_from_another_model(tmp_path, hub):
    hub.add("one/m", tiny())
    hub.add("two/m", llama(0.1))
    pulled(tmp_path, hub, "one/m")
    text = pull(tmp_path, hub, "two/m", check=1).err
    assert "a model from one/m" in text and "--name" in text
    pulled(tmp_path, hub, "two/m", "--name", "m2")
    # A new version of the same repository takes it.
    hub.add("one/m", llama(0.2))
    assert pulled(tmp_path, hub, "one/m")["name"] == "m"
    assert "evident-tiny" in pull(tmp_path, hub, "one/m", "--name", "evident-tiny", check=1).err


def test_keep(tmp_path, hub):
    hub.add("org/m", tiny())
    outcome = pulled(tmp_path, hub, "org/m", "--keep")
    assert run(tmp_path, "import", outcome["folder"], "--name", "again", "--json")
    run(tmp_path, "rm", "m", "again")
    hub.forget()
    assert pulled(tmp_path, hub, "org/m")["bytesDownloaded"] == len(tiny()["README.md"])
    assert not leftovers(tmp_path)


# The Hugging Face cache


def cache(home, name: str, repository, only=None, plain=False):
    """What huggingface_hub leaves: blobs by digest, a snapshot of links, a ref; or, where there are no links, files."""
    root = home / ".cache" / "huggingface" / "hub" / ("models--" + name.replace("/", "--"))
    snapshot = root / "snapshots" / repository.commit
    (root / "blobs").mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(repository.commit)
    for path, content in repository.files.items():
        if only is not None and path not in only:
            continue
        oid = hashlib.sha256(content).hexdigest() if path == WEIGHTS else git_blob(content)
        (root / "blobs" / oid).write_bytes(content)
        link = snapshot / path
        link.parent.mkdir(parents=True, exist_ok=True)
        if plain:
            (root / "blobs" / oid).rename(link)
            continue
        link.symlink_to("../" * (2 + path.count("/")) + f"blobs/{oid}")
    return root


def test_the_cache_is_read_in_place_when_offline(tmp_path, hub):
    repository = hub.add("org/m", llama(1))
    text = refused(tmp_path, None, "org/m", "--offline")
    assert "offline" in text and "models--" not in text
    root = cache(tmp_path, "org/m", repository)
    outcome = pulled(tmp_path, None, "org/m", HF_HUB_OFFLINE="1")
    assert outcome["bytesDownloaded"] == 0 and outcome["bytesCached"] > 1_000_000 and outcome["licence"] == "apache-2.0"
    assert pulled(tmp_path, None, f"org/m@{repository.commit}", "--offline")["present"]
    assert (root / "snapshots" / repository.commit / WEIGHTS).resolve().exists() and not leftovers(tmp_path)
    # Without the cache it is still in the store.
    shutil.rmtree(root)
    assert pulled(tmp_path, None, "org/m", "--offline")["present"]
    assert "not in the Hugging Face cache" in pull(tmp_path, None, "org/m@other", "--offline", check=1).err
    assert not hub.log


def test_the_cache_spares_downloads(tmp_path, hub):
    repository = hub.add("org/m", llama(1))
    cache(tmp_path, "org/m", repository, only=[WEIGHTS, "tokenizer.json"])
    outcome = pulled(tmp_path, hub, "org/m")
    assert outcome["bytesCached"] == sum(len(repository.files[p]) for p in (WEIGHTS, "tokenizer.json"))
    assert not hub.requests(WEIGHTS) and not hub.requests("tokenizer.json") and hub.requests("/config.json")


def test_a_damaged_cache_is_not_used(tmp_path, hub):
    repository = hub.add("org/m", llama(1))
    root = cache(tmp_path, "org/m", repository)
    blob = root / "blobs" / hashlib.sha256(repository.files[WEIGHTS]).hexdigest()
    blob.write_bytes(bytes(len(repository.files[WEIGHTS])))
    assert "not in the Hugging Face cache" in refused(tmp_path, None, "org/m", "--offline")
    done = pull(tmp_path, hub, "org/m")
    assert f"{blob} is damaged and not used" in done.err and hub.sent(WEIGHTS) == len(repository.files[WEIGHTS])


# TLS


def test_certificates(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=hub", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True)
    hub = Hub(certificate=(certificate, key))
    try:
        hub.add("org/m", tiny())
        text = refused(tmp_path, hub, "org/m")
        assert "the certificate of https://127.0.0.1" in text and "SSL_CERT_FILE" in text and not hub.log
        pulled(tmp_path, hub, "org/m", SSL_CERT_FILE=str(certificate))
        assert "SSL_CERT_FILE" in pull(tmp_path, hub, "org/m", check=1, SSL_CERT_FILE="/no/such").err
        # Through a proxy, which sees where it goes and not what.
        run(tmp_path, "rm", "m")
        tunnel = Tunnel()
        pulled(tmp_path, hub, "org/m", SSL_CERT_FILE=str(certificate), HTTPS_PROXY=tunnel.url, HF_TOKEN="hf_good")
        tunnel.close()
        assert tunnel.heads and all(b"Basic dXNlcjpzZWNyZXQ=" in h and b"hf_good" not in h for h in tunnel.heads)
    finally:
        hub.close()
