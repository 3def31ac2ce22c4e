"""The embedded model: what the product answered, recomputed by the oracle from the evidence file, id for id."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest

import product
from evident_oracle import evidence, model

NONCE = "000102030405060708090a0b0c0d0e0f"
CHAT, PLAIN = "/v1/chat/completions", "/v1/completions"

# How the question is asked, and the options under their API names.
CASES = [
    ("run", {"temperature": 0}),
    ("run", {"temperature": 0.8, "seed": 7}),
    ("run", {"temperature": 1.3, "top_p": 0.9, "nonce": NONCE, "max_tokens": 40}),
    ("run", {"temperature": 2, "top_k": 40, "max_tokens": 40}),
    (CHAT, {"temperature": 0}),
    (CHAT, {}),
    (CHAT, {"temperature": 0.7, "seed": 1}),
    (CHAT, {"temperature": 1, "nonce": "ff" * 64, "max_tokens": 60}),
    (CHAT, {"temperature": 2, "nonce": NONCE, "seed": 3, "max_tokens": 40}),
    (CHAT, {"temperature": 2, "top_k": 5, "seed": -1, "max_tokens": 40}),
    (CHAT, {"temperature": 1.5, "min_p": 0.05, "seed": 2**53 - 1, "max_tokens": 40}),
    (CHAT, {"temperature": 1.2345675, "top_p": 0.8765435, "nonce": "01", "max_tokens": 40}),
    (CHAT, {"temperature": 0.001, "nonce": NONCE}),
    (CHAT, {"temperature": 0, "repetition_penalty": 1.7, "max_tokens": 40}),
    (CHAT, {"temperature": 1.4, "repetition_penalty": 0.7, "seed": 11, "max_tokens": 40}),
    (CHAT, {"temperature": 1.6, "frequency_penalty": 2, "presence_penalty": -1.25, "seed": 12, "max_tokens": 40}),
    (CHAT, {"temperature": 0, "logit_bias": {"300": 100, "301": 99.5}, "max_tokens": 12}),
    (CHAT, {"temperature": 1.1, "logit_bias": {"2": -100, "400": 12.5}, "seed": 13, "max_tokens": 40}),
    (PLAIN, {"temperature": 1.3, "seed": 14, "stop": ["e", "\n"], "max_tokens": 40}),
    (PLAIN, {"temperature": 0.9, "nonce": NONCE, "max_tokens": 1}),
    (
        CHAT,
        {
            "temperature": 1.9, "top_k": 200, "top_p": 0.97, "min_p": 0.001, "repetition_penalty": 1.2,
            "frequency_penalty": -0.3, "presence_penalty": 0.4, "logit_bias": {"2": -3, "500": 4, "1999": -0.0000015},
            "seed": 15, "nonce": "abcd", "max_tokens": 60,
        },
    ),
]


def prompts():
    """One held-out question for each case, spread over the file."""
    lines = (product.ROOT / "Model" / "data" / "heldout.txt").read_text(encoding="utf-8").splitlines()
    questions = [line.partition("\t")[2] for line in lines if line and line[0] != "#" and "%" not in line]
    return [questions[n * len(questions) // len(CASES)] for n in range(len(CASES))]


@pytest.fixture(scope="module")
def loaded():
    return model.load(product.PACK)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    if not product.BINARY.exists():
        pytest.skip(f"there is no {product.BINARY}; build the product or set EVIDENT_BINARY")
    home = tmp_path_factory.mktemp("home")
    server = product.Server(home)
    try:
        return [evidence.read(asked(server, home, *case, prompt)) for case, prompt in zip(CASES, prompts())]
    finally:
        server.stop()


def asked(server, home, how, options, prompt):
    if how == "run":
        flags = [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), str(value))]
        return product.run(home, prompt, flags)
    question = {"prompt": prompt} if how == PLAIN else {"messages": [{"role": "user", "content": prompt}]}
    return server.answer(how, {**question, **options})


def micros(value):
    return int((Decimal(str(value)) * 10**6).quantize(Decimal(1), ROUND_HALF_UP))


def effective(options, default_limit):
    """The parameters that the statement must hold for these options."""
    return {
        "temperatureMicros": micros(options.get("temperature", 1)),
        "topK": options.get("top_k", 0),
        "topPMicros": micros(options.get("top_p", 1)),
        "minPMicros": micros(options.get("min_p", 0)),
        "repetitionPenaltyMicros": micros(options.get("repetition_penalty", 1)),
        "frequencyPenaltyMicros": micros(options.get("frequency_penalty", 0)),
        "presencePenaltyMicros": micros(options.get("presence_penalty", 0)),
        "logitBias": [
            {"token": int(token), "micros": micros(bias)}
            for token, bias in sorted(options.get("logit_bias", {}).items(), key=lambda entry: int(entry[0]))
        ],
        "seed": str(options["seed"] % 2**64) if "seed" in options else None,
        "maxTokens": options.get("max_tokens", default_limit),
        "stop": options.get("stop", []),
    }


@pytest.mark.parametrize("case", range(len(CASES)))
def test_answer_is_recomputed(loaded, answers, case):
    answer, options = answers[case], CASES[case][1]
    assert answer.manifestDigest == loaded.digest
    assert answer.parameters == effective(options, loaded.config.contextLength - len(answer.inputTokens))
    if "nonce" in options:
        assert (answer.nonceSource, answer.nonce.hex()) == ("client", options["nonce"])
    elif answer.nonceSource == "node":
        assert "seed" not in options and len(answer.nonce) == 32
    else:
        assert answer.nonceSource == "none" and answer.nonce == b""
        assert "seed" in options or options["temperature"] == 0
    tokens, finish = evidence.recompute(loaded, answer)
    assert tokens == answer.outputTokens
    assert answer.finishReason == ("stop" if answer.finishDetail == "stopString" else finish)


def test_the_cases_reach_what_they_are_for(loaded, answers):
    """Different questions, every way to end, every source of randomness, and random bits that mattered."""
    assert len({tuple(answer.inputTokens) for answer in answers}) == len(answers) >= 20
    assert {answer.finishDetail for answer in answers} == {"endOfSequence", "stopString", "tokenLimit"}
    assert {answer.nonceSource for answer in answers} == {"client", "node", "none"}
    sampled = [answer for answer in answers if answer.parameters["temperatureMicros"] >= 1_300_000][:4]
    for changed in ({"nonce": b"another"}, {"manifestDigest": bytes(32)}):
        outputs = [evidence.recompute(loaded, replace(answer, **changed))[0] for answer in sampled]
        assert sum(output != answer.outputTokens for output, answer in zip(outputs, sampled)) >= 3
