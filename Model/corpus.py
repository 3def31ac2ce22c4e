"""Reads `data/*.txt` and turns it into conversations.

Format of a data file, line by line:

    # comment
    @name one | two           a list; `%name%` in any text below takes a random item
    = topic                   starts a topic
    ? question | question     ways to ask it
    > answer                  the answer; several `>` lines are alternatives
    U text / A text           instead of `?` and `>`: one written conversation

`data/heldout.txt` lists `topic<TAB>question` pairs that training never sees.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from rewording import reword, vary

DATA = Path(__file__).resolve().parent / "data"
HELDOUT = DATA / "heldout.txt"
SLOT = re.compile(r"%(\w+)%")


@dataclass
class Topic:
    name: str
    questions: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    turns: list = field(default_factory=list)  # (role, text) pairs of a written conversation


@dataclass
class Corpus:
    topics: list
    lists: dict
    heldout: list  # (topic, question)

    def fill(self, text, rng):
        """Replaces each `{list}` by one of its items."""
        for _ in range(3):
            text = SLOT.sub(lambda match: rng.choice(self.lists[match[1]]), text)
        return text


def split_list(text):
    return [item.strip() for item in text.split(" | ") if item.strip()]


def read(folder=DATA):
    """All topics, without the held-out questions."""
    topics, lists = [], {}
    for path in sorted(Path(folder).glob("*.txt")):
        if path.name == HELDOUT.name:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            mark, rest = line[:1], line[1:].strip()
            if not rest or mark == "#":
                continue
            if mark == "@":
                name, _, items = rest.partition(" ")
                lists.setdefault(name, []).extend(split_list(items))
            elif mark == "=":
                topics.append(Topic(rest))
            elif mark == "?":
                topics[-1].questions.extend(split_list(rest))
            elif mark == ">":
                topics[-1].answers.append(rest)
            elif mark in "UA":
                topics[-1].turns.append(("user" if mark == "U" else "assistant", rest))
            else:
                raise ValueError(f"{path.name}:{number}: cannot read {line!r}")
    names = [topic.name for topic in topics]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"topics defined twice: {sorted(repeated)}")
    by_name, heldout = dict(zip(names, topics)), []
    if HELDOUT.exists():
        for line in HELDOUT.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                name, _, question = line.partition("\t")
                by_name[name].questions.remove(question)
                heldout.append((by_name[name], question))
    return Corpus(topics, lists, heldout)


def plain(question):
    """A question without case and punctuation, to recognise held-out ones."""
    return re.sub(r"[^\w% ]", "", question.lower())


def exchanges(corpus, rng):
    """One epoch of single question-answer exchanges, in random order."""
    pairs, hidden = [], {plain(question) for _, question in corpus.heldout}
    for topic in corpus.topics:
        for question in topic.questions:
            for _ in range(3 if SLOT.search(question) else 1):
                asked = corpus.fill(question, rng)
                reworded = reword(asked, rng)
                if plain(reworded) not in hidden:
                    asked = reworded
                pairs.append((vary(asked, rng), corpus.fill(rng.choice(topic.answers), rng)))
    rng.shuffle(pairs)
    return pairs


def conversations(corpus, rng):
    """One epoch of conversations: lists of (role, text).  An empty role is plain text."""
    result, pairs = [], exchanges(corpus, rng)
    while pairs:
        roll = rng.random()
        count = 1 if roll < 0.8 else rng.randint(2, 3) if roll < 0.9 else rng.randint(4, 9) if roll < 0.96 else rng.randint(10, 20)
        turns = []
        for question, answer in pairs[:count]:
            turns += [("user", question), ("assistant", answer)]
        del pairs[:count]
        if rng.random() < 0.1:
            turns.insert(0, ("system", rng.choice(corpus.lists["system"])))
        result.append(turns)
    for topic in corpus.topics:
        if topic.turns:
            turns = [(role, vary(corpus.fill(text, rng), rng) if role == "user" else text) for role, text in topic.turns]
            result.append([(role, corpus.fill(text, rng)) for role, text in turns])
        if topic.answers and rng.random() < 0.12:
            result.append([("", corpus.fill(rng.choice(topic.answers), rng))])
    rng.shuffle(result)
    return result


def choose_heldout(seed, share=0.05):
    """Picks about `share` of all questions, at most one a topic, and writes `heldout.txt`."""
    HELDOUT.unlink(missing_ok=True)
    corpus, rng = read(), random.Random(seed)
    total = sum(len(topic.questions) for topic in corpus.topics)
    candidates = [topic for topic in corpus.topics if len(topic.questions) >= 4]
    chosen = rng.sample(candidates, min(len(candidates), round(total * share)))
    rows = [f"{topic.name}\t{rng.choice(topic.questions[1:])}" for topic in chosen]
    HELDOUT.write_text("# topic<TAB>question: never used for training\n" + "\n".join(sorted(rows)) + "\n", encoding="utf-8")
    return len(rows), total


if __name__ == "__main__":
    loaded = read()
    questions = sum(len(topic.questions) for topic in loaded.topics)
    print(f"{len(loaded.topics)} topics, {questions} questions, {len(loaded.heldout)} held out")
