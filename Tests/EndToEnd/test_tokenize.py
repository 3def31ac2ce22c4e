"""What a model sees, through the binary: tokens of texts and prompts of templates, against other projects' vectors."""

import json
import os
import resource
from pathlib import Path

import pytest

from conftest import run

SHARED = os.environ.get("EVIDENT_SHARED")
needs_vectors = pytest.mark.skipif(not SHARED, reason="EVIDENT_SHARED is unset: the vectors are not at hand")
VOCABULARIES = sorted((Path(SHARED) / "vectors" / "tokenizers").glob("*.gguf")) if SHARED else []
VOCABULARIES = [path for path in VOCABULARIES if Path(f"{path}.inp").exists()]
TEMPLATES = sorted((Path(SHARED) / "vectors" / "templates").glob("*.json")) if SHARED else []
TEXT = "Hello, wörld! 日本 🦙 \"quoted\"\n\ttwo  spaces "


@needs_vectors
def test_vectors_are_there():
    assert len(VOCABULARIES) >= 6 and len(TEMPLATES) >= 10


@needs_vectors
@pytest.mark.parametrize("path", VOCABULARIES, ids=lambda path: path.stem)
def test_vocabularies(tmp_path, path):
    inputs = Path(f"{path}.inp").read_text().split("\n__ggml_vocab_test__\n")
    expected = Path(f"{path}.out").read_text().split("\n")
    if expected and not expected[-1]:
        expected.pop()
    inputs = inputs[:len(expected)]
    assert len(inputs) == len(expected) > 40
    lines = "".join(json.dumps(text) + "\n" for text in inputs)
    got = [json.loads(line) for line in run(tmp_path, "tokenize", str(path), "--json", stdin=lines).out.splitlines()]
    assert len(got) == len(inputs)
    for text, want, answer in zip(inputs, expected, got):
        assert answer["ids"] == [int(id) for id in want.split()], repr(text)
        assert len(answer["tokens"]) == len(answer["ids"])
    # One text on stdin, byte for byte.
    longest = max(range(len(inputs)), key=lambda i: len(inputs[i]))
    assert run(tmp_path, "tokenize", str(path), "--ids", stdin=inputs[longest]).out.split() == expected[longest].split()


@needs_vectors
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates(tmp_path, path):
    vector = json.loads(path.read_text())
    for name, case in vector["cases"].items():
        done = run(tmp_path, "render-template", str(path.parent / vector["template"]), "--context", "-", "--now",
                   vector["now"], stdin=json.dumps(case["context"], ensure_ascii=False), check=None)
        if "error" in case:
            assert done.returncode != 0 and done.err.startswith("Error: "), name
        else:
            assert done.returncode == 0, f"{name}: {done.err}"
            assert done.stdout == case["rendered"].encode(), name


@needs_vectors
@pytest.mark.parametrize("kind", ["a", "letters", "han", "emoji", "marks", "brackets"])
@pytest.mark.parametrize("name", ["llama-bpe", "llama-spm", "bert-bge"])
def test_a_megabyte_without_spaces(tmp_path, name, kind):
    """In less than two seconds of one processor, beyond what reading the vocabulary takes."""
    text = {"a": "a" * (1 << 20), "letters": "qzjxkvbwpyfhgmcu" * 65536, "han": "数字化时代人工智能" * 38836,
            "emoji": "🦙👩\u200d🚀😀" * 69905, "marks": "e\u0301\u0323" * 209715, "brackets": "<|im_start" * 104858}[kind]
    text = text.encode()[:1 << 20].decode(errors="ignore")
    path = str(Path(SHARED) / "vectors" / "tokenizers" / f"ggml-vocab-{name}.gguf")

    def seconds(stdin):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ids = run(tmp_path, "tokenize", path, "--ids", stdin=stdin).out.split()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ids

    idle, _ = seconds("")
    busy, ids = seconds(text)
    assert ids
    assert busy - idle < 2, f"{busy - idle:.2f} s for {len(ids)} tokens"


def test_tokens_and_back(tmp_path):
    ids = run(tmp_path, "tokenize", "evident-tiny", "--ids", TEXT).out
    assert run(tmp_path, "tokenize", "evident-tiny", "--ids", stdin=TEXT).out == ids
    assert run(tmp_path, "tokenize", "evident-tiny", "--decode", ids).out == TEXT
    assert run(tmp_path, "tokenize", "evident-tiny", "--decode", stdin=ids.replace(" ", ",")).out == TEXT
    shown = run(tmp_path, "tokenize", "evident-tiny", TEXT).out
    assert [line.split()[0] for line in shown.splitlines()] == ids.split()
    assert "\"Hello\"" in shown and "\\xF0" in shown


def test_json_lines(tmp_path):
    lines = json.dumps(TEXT) + "\nplain \"text\"\n\n\"\"\n"
    answers = [json.loads(line) for line in run(tmp_path, "tokenize", "evident-tiny", "--json", stdin=lines).out.splitlines()]
    assert len(answers) == 4 and answers[2] == answers[3] == {"ids": [], "tokens": []}
    pieces = b"".join(t.encode() if isinstance(t, str) else bytes.fromhex(t["bytes"]) for t in answers[0]["tokens"])
    assert pieces.decode() == TEXT
    back = run(tmp_path, "tokenize", "evident-tiny", "--json", "--decode", stdin=json.dumps(answers[0]["ids"]) + "\n").out
    assert json.loads(back) == {"text": TEXT}
    half = json.loads(run(tmp_path, "tokenize", "evident-tiny", "--json", "--decode", json.dumps(answers[0]["ids"][4:5])).out)
    assert "\ufffd" in half["text"] and bytes.fromhex(half["bytes"])


def test_special_tokens(tmp_path):
    text = "a<|im_end|>b"
    ids = run(tmp_path, "tokenize", "evident-tiny", "--ids", text).out.split()
    literal = run(tmp_path, "tokenize", "evident-tiny", "--ids", "--literal", text).out.split()
    assert len(literal) > len(ids) == 3
    assert run(tmp_path, "tokenize", "evident-tiny", "--decode", " ".join(ids)).out == "ab"
    assert run(tmp_path, "tokenize", "evident-tiny", "--decode", "--special", " ".join(ids)).out == text


def test_a_bare_tokenizer_and_a_broken_one(tmp_path):
    bare = tmp_path / "tokenizer.json"
    bare.write_text(json.dumps({"added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": {
        "type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "one": 1}}}))
    assert run(tmp_path, "tokenize", str(bare), "--ids", "one two one").out == "1 0 1\n"
    assert run(tmp_path, "tokenize", "./tokenizer.json", "one").out == "1  \" one\"\n"
    bare.write_text("{\"model\":{\"type\":\"Morphemes\"}}")
    assert "the model Morphemes" in run(tmp_path, "tokenize", str(bare), "x", check=1).err
    bare.write_text("{")
    assert "JSON" in run(tmp_path, "tokenize", str(bare), "x", check=1).err
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\0\0\0")
    assert run(tmp_path, "tokenize", str(broken), "x", check=1).err.startswith("Error: ")


@pytest.mark.parametrize("arguments, word", [
    (["tokenize", "no-such-model", "x"], "no-such-model"), (["tokenize", "./none.json", "x"], "none.json"),
    (["tokenize", "/tmp", "x"], "directory"), (["tokenize", "evident-tiny", "--decode", "x"], "\"x\" is not an id"),
    (["tokenize", "evident-tiny", "--decode", "99999999"], "99999999"),
    (["tokenize", "evident-tiny", "--ids", "--json", "x"], "--json"),
    (["render-template", "evident-tiny", "--context", "none.json"], "none.json"),
    (["render-template", "none.jinja", "--context", "-"], "none.jinja"),
    (["render-template", "evident-tiny", "--context", "-", "--now", "noon"], "noon"),
])
def test_wrong_use_is_one_clear_error(tmp_path, arguments, word):
    done = run(tmp_path, *arguments, stdin="{}", check=None)
    assert done.returncode != 0 and word in done.err and "Fatal" not in done.err
    assert not done.out


def test_rendering_a_models_template(tmp_path):
    context = {"messages": [{"role": "user", "content": "Hi <b>\"you\"</b>"}]}
    text = run(tmp_path, "render-template", "evident-tiny", "--context", "-", stdin=json.dumps(context)).out
    assert text.endswith("<|im_start|>assistant\n") and "Hi <b>\"you\"</b>" in text
    closed = run(tmp_path, "render-template", "evident-tiny", "--context", "-", stdin=json.dumps(
        context | {"add_generation_prompt": False})).out
    assert text == closed + "<|im_start|>assistant\n"
    answer = run(tmp_path, "render-template", "evident-tiny", "--context", "-", "--json", stdin=json.dumps(context)).out
    assert json.loads(answer) == {"text": text}


def test_a_template_names_its_trouble(tmp_path):
    def error(source, context="{}"):
        (tmp_path / "t.jinja").write_text(source)
        return run(tmp_path, "render-template", "t.jinja", "--context", "-", stdin=context, check=1).err

    assert "line 2: the filter \"pprint\" is not supported" in error("a\n{{ 1 | pprint }}")
    assert "line 3" in error("a\nb\n{{ ( }}")
    assert "no system messages" in error("{{ raise_exception('no system messages') }}")
    assert "steps" in error("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}")
    assert "not an object" in error("x", "[]")
    assert "JSON" in error("x", "{")
    (tmp_path / "t.jinja").write_text("{{ strftime_now('%Y-%m-%d') }}\n\n")
    done = run(tmp_path, "render-template", "t.jinja", "--context", "-", "--now", "2024-02-29T01:02:03", stdin="{}")
    assert done.out == "2024-02-29\n"
