"""Cases for the differential test of verifiers: a base in one of its forms, and up to two seeded changes: before the
commitments, before the signature, in the payload's spelling, in the log's proof, in the history of keys, in the file or
in its bytes. What follows a change is made again, so that the change alone is what is wrong."""

import base64
import copy
import json

from evidence_cases import (
    LOG,
    NEXT_LOG,
    NODES,
    OTHER_LOG,
    WITNESSES,
    b64,
    change_json,
    commit,
    count,
    envelope,
    respell,
)
from evident_oracle import canonical
from log_mutations import BY, EARLIER, MADE, history, make_proof


def set_kind(rng, answer):
    """Other answers that are right: another endpoint, ending, seed or nonce. Not for embeddings."""
    opening, p = answer["opening"], answer["statement"]["predicate"]
    end = answer["model"]["tokens"]["endOfSequence"][0]
    p["nonce"], p["parameters"]["seed"] = rng.choice(
        [
            ({"source": "client", "value": "c1" * 32}, "17"),
            ({"source": "client", "value": "00"}, None),
            ({"source": "node", "value": rng.choice(["ab", "c1"]) * 32}, None),
            ({"source": "none", "value": ""}, "18446744073709551615"),
        ]
    )
    if rng.random() < 0.3:
        opening["request"], p["endpoint"] = {"prompt": "Once upon a time é"}, "completions"
    outputs, ending = opening["outputTokens"], rng.randrange(5)
    if ending == 1:
        outputs[-1] = end
        p["output"] |= {"finishReason": "stop", "finishDetail": "endOfSequence"}
    elif ending == 2:
        del outputs[-3:]
        p["output"] |= {"finishReason": "stop", "finishDetail": "stopString"}
    elif ending > 2:
        outputs[-1] = rng.choice([end, outputs[-1]])
        p["output"] |= {"finishReason": "cancelled", "finishDetail": rng.choice(["clientCancelled", "nodeCancelled"])}
        p["stream"]["deliveredTokens"] = rng.randrange(len(outputs))
    if ending < 3:
        p["stream"]["deliveredTokens"] = len(outputs)


def claim(rng, answer):
    """A claim that is signed and opened as if it were right."""
    opening, p = answer["opening"], answer["statement"]["predicate"]
    is_answer = "vectors" not in opening
    what = rng.randrange(14 if is_answer else 6)
    if what == 0:
        change_json(rng, answer["model"])
    elif what == 1:
        change_json(rng, p["parameters"])
    elif what == 2:
        change_json(rng, opening)
    elif what == 3:
        change_json(rng, p)
    elif what == 4:
        ids = opening["inputTokens"] if is_answer else rng.choice(opening["inputTokens"])
        ids[-1] = rng.choice([63, 64, 2**20 - 1])
    elif what == 5:
        answer["model"]["config"] |= {"contextLength": rng.choice([20, 43, 52, 53])}
    elif what == 6:
        opening["outputTokens"].insert(rng.randrange(20), answer["model"]["tokens"]["endOfSequence"][0])
        count(answer)
    elif what == 7:
        opening["outputTokens"] = opening["outputTokens"][: rng.randrange(3)]
        p["stream"]["deliveredTokens"] = rng.choice([0, len(opening["outputTokens"])])
        count(answer)
    elif what == 8:
        p["output"] |= rng.choice(
            [
                {"finishReason": "stop", "finishDetail": "endOfSequence"},
                {"finishReason": "length", "finishDetail": "tokenLimit"},
                {"finishReason": "cancelled", "finishDetail": "nodeCancelled"},
                {"finishReason": "stop", "finishDetail": "stopString"},
            ]
        )
    elif what == 9:
        p["nonce"] = rng.choice(
            [
                {"source": "none", "value": ""},
                {"source": "node", "value": "00" * 32},
                {"source": "client", "value": "00" * 64},
                {"source": "client", "value": "00" * 65},
                {"source": "client", "value": ""},
                {"source": "node", "value": "00" * 31},
            ]
        )
        p["parameters"] |= {
            "seed": rng.choice([None, "0", "1"]),
            "temperatureMicros": rng.choice([0, 0, 1, 999, 1000, 1300000]),
        }
    elif what == 10:
        p["parameters"]["maxTokens"] = rng.choice([1, 23, 24, 25, 227, 228, 1000])
        p["parameters"]["logitBias"] = [{"token": rng.choice([9, 63, 64, 2**20 - 1]), "micros": 1}]
    elif what == 11:
        p["stream"]["deliveredTokens"] = rng.choice([0, 1, 23, 24, 25])
    elif what == 12:
        p["parameters"]["stop"] = rng.choice([[], ["e"] * 16, ["e"] * 17, ["é" * 512], ["é" * 512 + "e"]])
    elif what == 13:
        p["promise"] = rng.choice(
            [
                None,
                {"log": OTHER_LOG.vkey, "loggedBy": BY},
                {"log": WITNESSES[0].vkey, "loggedBy": BY},
                {"log": NEXT_LOG.vkey, "loggedBy": BY},
                {"log": LOG.vkey, "loggedBy": MADE},
                {"log": LOG.vkey, "loggedBy": EARLIER},
                {"log": LOG.vkey, "loggedBy": "2026-02-01T00:00:30Z"},
            ]
        )


def contradict(rng, answer):
    """One thing in statement or opening that the other, or another member, does not say."""
    opening, statement = answer["opening"], answer["statement"]
    p, is_answer = statement["predicate"], "vectors" not in opening
    what = rng.randrange(16 if is_answer else 9)
    if what == 0:
        statement["subject"][0]["name"] += "x"
    elif what == 1:
        statement["subject"][0]["digest"]["sha256"] = "ab" * 32
    elif what == 2:
        opening["salt"] = "ab" * 32
    elif what == 3:
        p["receiptId"] += "x"
    elif what == 4:
        kind = [*opening["request"]][0]
        opening["request"] = rng.choice([{kind: []}, {"prompt": "é"}, {"prompt": "e\u0301"}, {"input": ["x"]}])
    elif what == 5:
        ids = opening["inputTokens"] if is_answer else rng.choice(opening["inputTokens"])
        ids[rng.randrange(len(ids))] ^= 1
    elif what == 6:
        opening["inputTokens"].append(3 if is_answer else [3])
    elif what == 7:
        p["usage"]["totalTokens"] += 1
    elif what == 8:
        p["promise"] = {"log": LOG.vkey, "loggedBy": EARLIER}
    elif what == 9:
        opening["outputTokens"][rng.randrange(len(opening["outputTokens"]))] ^= 1
    elif what == 10:
        opening["outputTokens"].pop()
    elif what == 11:
        opening["text"] = rng.choice([opening["text"] + "\u0301", "", opening["text"][::-1]])
    elif what == 12:
        p["stream"] = {
            "deliveredTokens": rng.randrange(30),
            "head": rng.choice([p["stream"]["head"], "sha256:" + "ab" * 32]),
        }
    elif what == 13:
        p["endpoint"] = rng.choice(["completions", "chat.completions"])
    elif what == 14:
        p["output"]["tokenCount"] += 1
    elif what == 15:
        p["parameters"]["maxTokens"] = rng.choice([1, 23, 25])
    if not is_answer and rng.random() < 0.4:
        vector = rng.choice(opening["vectors"])
        rng.choice(
            [lambda: vector["values"].pop(), lambda: opening["vectors"].reverse(), lambda: vector.update(exponent=-23)]
        )()


def make_case(rng, base):
    """(bytes of an evidence file, what was done)"""
    answer, done = copy.deepcopy(base), []
    names = [
        "claim",
        "contradiction",
        "contradiction",
        "statement",
        "payload",
        "signature",
        "proof",
        "proof",
        "keys",
        "file",
        "bytes",
    ]
    stages = set(rng.sample(names, rng.choice([0, 1, 1, 1, 2])))
    if "vectors" not in answer["opening"]:
        set_kind(rng, answer)
        count(answer)
    keys, node = history(rng, "keys" in stages)
    keys, node = (keys, node) if rng.random() < 0.6 or "keys" in stages else ([], 0)
    p = answer["statement"]["predicate"]
    p["node"]["publicKey"] = NODES[node].hex
    p["promise"] = rng.choice([{"log": LOG.vkey, "loggedBy": BY}] * 3 + [None])
    if "claim" in stages:
        claim(rng, answer)
    try:
        commit(answer)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        done.append("not committed")  # the change left nothing that could be
    if "contradiction" in stages and not done and "claim" not in stages:
        contradict(rng, answer)
    if "statement" in stages:
        done.append(change_json(rng, answer["statement"]))
    try:
        payload = canonical.encode(answer["statement"])
    except ValueError:
        payload = json.dumps(answer["statement"]).encode()
    if "payload" in stages:
        payload = respell(rng, payload)
    receipt = envelope(payload, NODES[node])
    if "signature" in stages:
        other = rng.choice(
            [
                envelope(payload, NODES[4]),
                envelope(payload + b" ", NODES[node]),
                envelope(payload, NODES[node], rng.choice(["DSSEv2", ""])),
            ]
        )
        receipt = rng.choice(
            [
                other,
                {**receipt, "signatures": other["signatures"]},
                {**receipt, "signatures": receipt["signatures"] * 2},
            ]
        )
        if rng.random() < 0.3:
            signature = bytearray(base64.b64decode(receipt["signatures"][0]["sig"]))
            if rng.random() < 0.3:  # s + L, which some verifiers take for s
                order = 2**252 + 27742317777372353535851937790883648493
                signature[32:] = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
            else:
                signature[rng.choice([0, 31, 32, 63])] ^= 1 << rng.randrange(8)
            receipt["signatures"][0]["sig"] = b64(signature)
    logged = rng.random() < 0.85 or "proof" in stages
    file = {
        "schema": "evident.evidence.v1",
        "receipt": receipt,
        "opening": answer["opening"],
        "model": answer["model"],
        "keys": keys,
        "log": make_proof(rng, receipt, "proof" in stages, keys[0]["entry"] if keys else None) if logged else None,
    }
    if rng.random() < 0.05:
        file["opening"] = None
    if rng.random() < 0.05:
        file = receipt
    if "file" in stages:
        done.append(change_json(rng, file))
    try:
        data = canonical.encode(file)
    except ValueError:
        data = json.dumps(file, ensure_ascii=False).encode(errors="surrogatepass")
    if "bytes" in stages:
        data = respell(rng, data)
    return data, " ".join(["+".join(sorted(stages)) or "as it is", *done])


def signed(answer):
    """The answer's evidence without any change, signed by NODES[0] and promised to LOG."""
    p = answer["statement"]["predicate"]
    p["node"]["publicKey"], p["promise"] = NODES[0].hex, {"log": LOG.vkey, "loggedBy": BY}
    commit(answer)
    receipt = envelope(canonical.encode(answer["statement"]), NODES[0])
    return {
        "schema": "evident.evidence.v1",
        "receipt": receipt,
        "opening": answer["opening"],
        "model": answer["model"],
        "keys": [],
        "log": None,
    }


def changed_stream(rng, data):
    """A saved stream that is cut, or one of whose events is changed."""
    events = data.split(b"\n\n")
    at, what = rng.randrange(len(events) - 1), rng.randrange(14)
    marked = [i for i, event in enumerate(events) if b'"evident":{' in event]
    if what == 0:
        return data[: rng.randrange(len(data))]
    if what == 1:
        del events[at]
    elif what == 2:
        events.insert(at, events[rng.randrange(len(events) - 1)])
    elif what == 3:
        at = rng.choice(marked)
        events[at] = b"data: " + respell(rng, events[at][6:])
    elif what == 4:
        return data.replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n"]))
    elif what == 5:
        events[at] = rng.choice(
            [
                b": a comment",
                b"event: x",
                b"data:",
                b"data",
                b"id: 1\n" + events[at],
                b"data: {}",
                b"data: [DONE]",
                b"data: 1",
                b'data: {"choices": 1}',
                b'data: {"choices": [7]}',
                events[at] + b"\n: x",
            ]
        )
    elif what == 6:
        events[at] = events[at].replace(
            b"data: ", rng.choice([b"data:", b"data:  ", b"Data: ", b" data: ", b"data : "]), 1
        )
    elif what == 7:
        place = events[at].find(b",") + 1
        events[at] = events[at][:place] + b"\ndata: " + events[at][place:]
    elif what == 8:
        events.insert(
            at, rng.choice([b"", b"data: " + json.dumps({"choices": [{"delta": {"content": "more"}}]}).encode()])
        )
    else:
        at = rng.choice(marked)
        body = json.loads(events[at][6:])
        if what < 12:
            change_json(rng, body["evident"] if what < 11 else body)
        else:
            other = body["evident"]
            other |= (
                json.loads(events[rng.choice(marked)][6:])["evident"] if what == 12 else {"signature": b64(bytes(64))}
            )
        events[at] = b"data: " + json.dumps(body, ensure_ascii=rng.random() < 0.5).encode()
    return b"\n\n".join(events)
