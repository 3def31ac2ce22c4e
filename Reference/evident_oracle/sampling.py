"""Sampling of arithmetic.md section 7, in Python integers."""

from dataclasses import dataclass, field

from . import canonical, tables

MICRO = 10**6


def RS(x, s):
    return x if s == 0 else (x + (1 << (s - 1))) >> s


def SH(x, n):
    return x << n if n >= 0 else RS(x, -n)


def DIV(a, b):
    return (2 * a + b) // (2 * b)


def clamp(x, low, high):
    return max(low, min(high, x))


@dataclass(frozen=True)
class Parameters:
    """All in micros except topK; `logitBias` maps a token id to micros."""

    temperatureMicros: int = 0
    topK: int = 0
    topPMicros: int = MICRO
    minPMicros: int = 0
    repetitionPenaltyMicros: int = MICRO
    frequencyPenaltyMicros: int = 0
    presencePenaltyMicros: int = 0
    logitBias: dict = field(default_factory=dict)

    def check(self, vocabulary_size):
        """Refuses what section 7 does not allow."""
        ranges = {
            "temperatureMicros": (0, 2 * MICRO),
            "topK": (0, 2**53 - 1),
            "topPMicros": (1, MICRO),
            "minPMicros": (0, MICRO),
            "repetitionPenaltyMicros": (MICRO // 10, 10 * MICRO),
            "frequencyPenaltyMicros": (-2 * MICRO, 2 * MICRO),
            "presencePenaltyMicros": (-2 * MICRO, 2 * MICRO),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is not in {low}…{high}")
        if 0 < self.temperatureMicros < 1000:
            raise ValueError("temperatureMicros is neither 0 nor at least 1000")
        for token, bias in self.logitBias.items():
            if not 0 <= token < vocabulary_size or not -100 * MICRO <= bias <= 100 * MICRO:
                raise ValueError(f"logit bias {bias} of token {token} is out of range")


def adjusted_logits(t, e, prompt, output, parameters):
    """Steps 1 to 4: logits in units of 2^-16 after bias and penalties."""
    logits = [clamp(SH(int(value), int(e) + 16), -(2**36), 2**36) for value in t]
    for token, bias in parameters.logitBias.items():
        logits[token] += DIV(bias * 65536, MICRO)
    r = parameters.repetitionPenaltyMicros
    for token in set(prompt) | set(output):
        value = logits[token]
        logits[token] = DIV(value * MICRO, r) if value > 0 else DIV(value * r, MICRO)
    for token in set(output):
        n = output.count(token)
        logits[token] -= DIV(n * parameters.frequencyPenaltyMicros * 65536, MICRO)
        logits[token] -= DIV(parameters.presencePenaltyMicros * 65536, MICRO)
    return logits


def candidates(logits, parameters):
    """Steps 6 to 10: the kept (id, weight) in order."""
    largest = max(logits)
    k = (1512775 * MICRO) // parameters.temperatureMicros

    def weight(value):
        delta = RS(min(largest - value, 2**30) * k, 24)
        whole, fraction = divmod(delta, 4096)
        return 0 if whole > 41 else RS(int(tables.POWER[fraction]) << 25, whole)

    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    if parameters.topK > 0:
        order = order[: parameters.topK]
    kept = [(token, weight(logits[token])) for token in order]
    total, running, length = sum(w for _, w in kept), 0, 0
    for _, w in kept:
        running += w
        length += 1
        if running * MICRO >= parameters.topPMicros * total:
            break
    kept = kept[:length]
    first = kept[0][1]
    return [(token, w) for token, w in kept if w * MICRO >= parameters.minPMicros * first]


def choose(t, e, prompt, output, parameters, draw):
    """The id at the next position; `draw` is called for the 64 random bits only when they are needed."""
    logits = adjusted_logits(t, e, prompt, output, parameters)
    if parameters.temperatureMicros == 0:
        return logits.index(max(logits))
    kept = candidates(logits, parameters)
    r = (draw() * sum(w for _, w in kept)) >> 64
    running = 0
    for token, w in kept:
        running += w
        if running > r:
            return token
    raise AssertionError("the running sum exceeds r at the last candidate")


def input_digest(tokens):
    return canonical.tagged_digest("evident.tokens.in.v1", b"".join(t.to_bytes(4, "little") for t in tokens))


def parameters_digest(document):
    """Of the effective parameters as a JSON document; its members are defined in evidence.md."""
    return canonical.tagged_digest("evident.parameters.v1", canonical.encode(document))


def stream_key(model_digest, tokens_digest, parameters_digest_, seed, nonce):
    return canonical.tagged_digest(
        "evident.seed.v1", model_digest, tokens_digest, parameters_digest_, seed.to_bytes(8, "big"), nonce
    )


def draw(key, n):
    """The random 64-bit integer of output position n."""
    return int.from_bytes(canonical.tagged_digest("evident.draw.v1", key, n.to_bytes(8, "big"))[:8], "big")


def generate(decoder, prompt, max_tokens, parameters, key):
    """The output ids and the finish reason. Stop strings need a tokenizer and are not handled here."""
    config = decoder.model.config
    parameters.check(config.vocabularySize)
    if not prompt or len(prompt) > config.contextLength:
        raise ValueError(f"the prompt has {len(prompt)} ids; it needs 1…{config.contextLength}")
    t, e = decoder.forward(prompt)
    output = []
    while len(output) < max_tokens and len(prompt) + len(output) < config.contextLength:
        position = len(output)
        token = choose(t[-1], e[-1], prompt, output, parameters, lambda: draw(key, position))
        output.append(token)
        if token in decoder.model.endOfSequence:
            return output, "stop"
        if len(output) < max_tokens and len(prompt) + len(output) < config.contextLength:
            t, e = decoder.forward([token])
    return output, "length"
