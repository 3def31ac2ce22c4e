"""What guessing ahead gains: servers with drafts of several lengths answer the same requests in turns.

Usage: drafts.py path/to/evident [--model NAME] [--drafts 0 3 7] [--rounds 15] [more arguments of serve]
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request

# Kept from ending, a greedy answer comes to repeat itself, and one drawn at a high temperature does not. A bias that
# leaves one token is the most that drafts can gain.
ENDLESS = {"max_tokens": 400, "logit_bias": {"0": -100, "2": -100}}
CASES = {
    "one token again and again": ENDLESS | {"temperature": 0, "logit_bias": {"300": 100}},
    "repetitive": ENDLESS | {"temperature": 0},
    "usual, drawn": {"temperature": 0.7, "seed": 1, "max_tokens": 400},
    "without repetition": ENDLESS | {"temperature": 2, "seed": 1},
}
QUESTIONS = ["What is Evident?", "How do I verify an answer?", "What does a SKIP mean in the verdict?", "Who are you?"]


class Server:
    def __init__(self, binary: str, draft: int, arguments: list[str]):
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--draft-tokens", str(draft), *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=os.environ | {"XDG_STATE_HOME": tempfile.mkdtemp()}, text=True)
        self.url = next(m.group(1) for line in self.process.stdout if (m := re.search(r"(http://[\d.]+:\d+)", line)))

    def answer(self, model: str, question: str, options: dict) -> tuple[str, int, float]:
        body = {"model": model, "messages": [{"role": "user", "content": question}]} | options
        request = urllib.request.Request(
            self.url + "/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
        start = time.perf_counter()
        answer = json.load(urllib.request.urlopen(request))
        seconds = time.perf_counter() - start
        return answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"], seconds

    def counts(self) -> tuple[int, int]:
        text = urllib.request.urlopen(self.url + "/metrics").read().decode()
        names = ("evident_draft_tokens_total", "evident_draft_tokens_accepted_total")
        return tuple(int(re.search(rf"^{name} (\d+)$", text, re.M).group(1)) for name in names)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--model", default="evident-tiny")
    parser.add_argument("--drafts", type=int, nargs="+", default=[0, 3, 7])
    parser.add_argument("--rounds", type=int, default=15)
    options, rest = parser.parse_known_args()
    servers = [Server(options.binary, draft, rest) for draft in options.drafts]
    try:
        for name, case in CASES.items():
            rates = [[] for _ in servers]
            ratios = [[] for _ in servers]
            before = [server.counts() for server in servers]
            tokens = 0
            for round in range(options.rounds):
                for question in QUESTIONS:
                    answers = [None] * len(servers)
                    # Each is first in turn.
                    for i in sorted(range(len(servers)), key=lambda i: (i + round) % len(servers)):
                        answers[i] = servers[i].answer(options.model, question, case)
                    assert len({text for text, _, _ in answers}) == 1, "a draft changed an answer"
                    tokens += answers[0][1]
                    for rate, ratio, (_, count, seconds) in zip(rates, ratios, answers):
                        rate.append(count / seconds)
                        ratio.append(answers[0][2] / seconds)
            for draft, server, rate, ratio, first in zip(options.drafts, servers, rates, ratios, before):
                drafted, accepted = (now - then for now, then in zip(server.counts(), first))
                print(
                    f"{name}, drafts of {draft}: {statistics.median(rate):.0f} tokens/s ({min(rate):.0f}–{max(rate):.0f}), "
                    f"{statistics.median(ratio):.2f}× that without; {drafted / tokens:.2f} drafted and "
                    f"{accepted / tokens:.2f} accepted per token")
    finally:
        for server in servers:
            server.process.terminate()
            server.process.wait()


main()
