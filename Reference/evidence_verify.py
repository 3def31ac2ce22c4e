"""Verifies evidence files and saved streams; written from docs/spec/evidence.md and transparency.md alone. What needs a
model's tokenizer or its weights (rendering, decoding, replay) is skipped. Outcomes and exit statuses are the product's.

    evidence_verify.py [--policy FILE] [--key HEX]... [--model DIGEST] [--nonce HEX] [--receipt-only]
                       [--require-level LEVEL]... [--stream] FILE...
"""
import argparse, base64, json, re, sys
from pathlib import Path
import tlog_verify as tlog
from evidence_forms import *
from evident_oracle import canonical
from evident_oracle.canonical import tagged_digest as D, sha256

def key_chain(keys, trusted):
    """Section 12: the chain's keys, oldest first, and {key: when its earliest revocation takes effect}."""
    chain, revoked, places = [], {}, {}
    for item in keys:
        entry, payload = item["entry"], payload_of(item["entry"])
        value = parse(payload, 256 << 10)
        need(canonical.encode(value) == payload, "entry is not canonical")
        succession = value.get("predicateType") == "https://evident.dev/key-succession/v1"
        (SUCCESSION if succession else REVOCATION)(value)
        p = value["predicate"]
        subject, signer = (p["to"], p["from"]) if succession else (p["key"], p["signer"])
        need(value["subject"] == [{"name": subject, "digest": {"sha256": key_id(subject)}}], "subject of an entry")
        need(entry["signatures"][0]["keyid"] == key_id(signer), "key ID of an entry")
        verify_envelope(entry, bytes.fromhex(signer))
        proof = Proof(item["log"], entry)
        proof.included()
        proof.signed_by(trusted[0])
        time = proof.quorum_time(*trusted[1:])
        need(places.get(proof.origin, -1) < proof.index, "entries are not in the order of the log")
        places[proof.origin] = proof.index
        chain = chain or [signer]
        if succession:
            old, new = bytes.fromhex(p["from"]), bytes.fromhex(p["to"])
            consented = D("evident.key.succession.v1", old, new, p["time"].encode())
            verify_signature(new, base64.b64decode(p["consent"]), consented)
            need(p["from"] == chain[-1] and p["to"] not in chain, "no succession of the newest key")
            need(p["from"] not in revoked or time is not None and time < revoked[p["from"]], "succession of a revoked key")
            chain.append(p["to"])
        else:
            at = chain.index(p["key"]) if p["key"] in chain else -1
            need(at >= 0 and signer in chain[at:at + 2], "a revocation by one who may not")
            revoked[p["key"]] = min(seconds(p["from"]), revoked.get(p["key"], 2**63))
    return chain, revoked

class Skip(Exception): pass
R = "fileStructure statementStructure canonicalPayload signature keyBinding subjectBinding nonceBinding usageCounts".split()
E = "modelManifest parameters promptCommitment inputTokens outputTokens textCommitment streamChain finish".split()
L = "inclusion logSignature witnessQuorum logTime".split()
REST = "promise keyHistory rendering decoding replay".split()
NOT_OF_EMBEDDINGS = "nonceBinding outputTokens textCommitment streamChain finish decoding".split()

class Evidence:
    """One file: its checks by name, each PASS, FAIL or SKIP with a reason."""
    def __init__(self, data, o):
        self.o, self.data, self.results, self.file, self.p = o, data, {}, None, None
        self.manifest = None
        self.perform("fileStructure")
        self.perform("statementStructure")
        self.r, self.e = R, E
        if self.kind() == "embedding":
            self.r = [name for name in R if name not in NOT_OF_EMBEDDINGS]
            self.e = [*(name for name in E if name not in NOT_OF_EMBEDDINGS), "vectors"]
        rest = [name for name in REST if self.r is R or name != "decoding"]
        for name in [*self.r[2:], *self.e, *L, *rest]: self.perform(name)
    def perform(self, name):
        try:
            if name != "fileStructure" and self.file is None: raise Skip("the file could not be read")
            if name not in R[:2] and self.p is None: raise Skip("the statement could not be read")
            getattr(self, name)()
            self.results[name] = "PASS", ""
        except Skip as reason: self.results[name] = "SKIP", str(reason)
        except REFUSALS as reason: self.results[name] = "FAIL", str(reason) or "it does not fit"
    def kind(self):  # what the statement says it is, whatever else is wrong with it
        try: return "embedding" if parse(payload_of(self.file["receipt"]), 2**18, integers=False)["predicateType"] == EMBEDDINGS else "answer"
        except (*REFUSALS, TypeError, KeyError): return "answer"
    def failed(self, name): return self.results[name][0] == "FAIL"

    def fileStructure(self):
        self.file = read_file(self.data)
        self.opening = self.file["opening"]
    def statementStructure(self):
        value = parse(payload_of(self.file["receipt"]), 256 << 10)
        self.embedding = self.kind() == "embedding"
        (EMBEDDING if self.embedding else ANSWER)(value)
        self.subject, self.p, self.key = value["subject"], value["predicate"], value["predicate"]["node"]["publicKey"]
    def canonicalPayload(self):
        payload = payload_of(self.file["receipt"])
        need(canonical.encode(parse(payload, 256 << 10)) == payload, "not canonical")
    def signature(self): verify_envelope(self.file["receipt"], bytes.fromhex(self.key))
    def keyBinding(self):
        need(self.file["receipt"]["signatures"][0]["keyid"] == key_id(self.key), "keyid is of another key")
        if not self.o.key or self.key in self.o.key: return
        try: chain = key_chain(self.file["keys"], self.trusted())[0]
        except (Skip, *REFUSALS): chain = []
        need(self.key in chain and {*chain[:chain.index(self.key)]} & {*self.o.key}, "not a key that the caller named")
    def subjectBinding(self):
        stated = self.p["output"]["vectorCommitment" if self.embedding else "tokenCommitment"]
        need(self.subject == [{"name": self.p["responseId"], "digest": {"sha256": stated[7:]}}], "subject")
    def nonceBinding(self):
        source, seed = self.p["nonce"]["source"], self.p["parameters"]["seed"]
        need(source != "node" or seed is None, "a node's nonce beside a seed")
        need(source != "none" or seed is not None or self.p["parameters"]["temperatureMicros"] == 0, "no randomness")
        need(self.o.nonce is None or self.p["nonce"] == {"source": "client", "value": self.o.nonce}, "not the caller's nonce")
    def usageCounts(self):
        p, usage = self.p, self.p["usage"]
        need(usage["promptTokens"] == p["input"]["tokenCount"], "promptTokens")
        if self.embedding:
            return need(usage["totalTokens"] == usage["promptTokens"] and p["output"]["count"] == p["input"]["count"], "counts")
        count, delivered = p["output"]["tokenCount"], p["stream"]["deliveredTokens"]
        need(usage["completionTokens"] == count and usage["totalTokens"] == count + usage["promptTokens"], "completionTokens")
        need(delivered <= count and (delivered == count or p["output"]["finishReason"] == "cancelled"), "deliveredTokens")

    def modelManifest(self):
        stated, manifest = self.p["model"]["manifest"], canonical.encode(self.file["model"])
        try:
            if "alone" in self.file: raise Skip("a receipt alone has no manifest")
            need("sha256:" + sha256(manifest).hex() == stated, "another model")
            MANIFEST(parse(manifest, 1 << 24, 8))
            self.manifest = self.file["model"]
        finally: need(self.o.model in (None, stated), "not the caller's model")
    def config(self):
        if self.manifest is None: raise Skip("there is no manifest that the statement names")
        return self.manifest["config"]
    def parameters(self):
        config, p = self.config(), self.p["parameters"]
        if self.embedding: return need("pooling" in config and p["dimensions"] <= config["hiddenSize"], "dimensions")
        need(all(b["token"] < config["vocabularySize"] for b in p["logitBias"]), "logitBias")
        need(self.p["input"]["tokenCount"] + p["maxTokens"] <= config["contextLength"], "maxTokens is beyond the context")
    def opened(self, member):
        """A member of the opening, which is of the statement's kind."""
        if self.opening is None: raise Skip("the file has no opening")
        if ("vectors" in self.opening) != self.embedding: raise Skip("the opening is of another kind")
        return self.opening[member]
    def salt(self, tag): return D("evident.salt.v1", bytes.fromhex(self.opening["salt"]), tag.encode())
    def opens(self, what, content, stated):
        tag = f"evident.commit.{what}.v1"
        need("sha256:" + D(tag, self.salt(tag), content).hex() == stated, "it does not give the commitment")
    def promptCommitment(self):
        if self.opening is None: raise Skip("the file has no opening")
        kind = {"chat.completions": "messages", "completions": "prompt", "embeddings": "input"}[self.p["endpoint"]]
        need([*self.opening["request"]] == [kind], "a request of another kind")
        self.opens("prompt", canonical.encode(self.opening["request"]), self.p["input"]["promptCommitment"])
    def inputTokens(self):
        ids, stated = self.opened("inputTokens"), self.p["input"]
        lists = ids if self.embedding else [ids]
        need(not self.embedding or len(ids) == stated["count"], "count")
        need(sum(map(len, lists)) == stated["tokenCount"], "count of tokens")
        tag = "evident.embedding.inputs.v1" if self.embedding else "evident.tokens.in.v1"
        self.opens("input", D(tag, *map(u32le, lists)), stated["tokenCommitment"])
        config = self.config()
        need(not self.embedding or all(0 < len(i) <= config["contextLength"] for i in ids), "length of an input")
        need(all(t < config["vocabularySize"] for i in lists for t in i), "not in the vocabulary")
    def outputTokens(self):
        ids, stated = self.opened("outputTokens"), self.p["output"]
        need(len(ids) == stated["tokenCount"], "count")
        self.opens("output", D("evident.tokens.out.v1", u32le(ids)), stated["tokenCommitment"])
        config = self.config()
        need(all(t < config["vocabularySize"] for t in ids), "not in the vocabulary")
    def vectors(self):
        vectors, stated = self.opened("vectors"), self.p["output"]
        need(len(vectors) == stated["count"] == len(self.opening["inputTokens"]), "count")
        need(all(len(v["values"]) == self.p["parameters"]["dimensions"] for v in vectors), "dimensions")
        parts = [b"".join(n.to_bytes(4, "little", signed=True) for n in [v["exponent"], *v["values"]]) for v in vectors]
        self.opens("output", D("evident.embedding.vectors.v1", *parts), stated["vectorCommitment"])
    def textCommitment(self): self.opens("text", self.opened("text").encode(), self.p["output"]["textCommitment"])
    def streamChain(self):
        ids, stream = self.opened("outputTokens"), self.p["stream"]
        if stream["deliveredTokens"] > len(ids): raise Skip("more delivered than there are")
        head = D("evident.stream.start.v1", self.salt("evident.stream.start.v1"), self.p["receiptId"].encode())
        need("sha256:" + links(head, ids[:stream["deliveredTokens"]]).hex() == stream["head"], "head")
    def finish(self):
        ids, p, delivered = self.opened("outputTokens"), self.p, self.p["stream"]["deliveredTokens"]
        self.config()
        detail, most, ends = p["output"]["finishDetail"], p["parameters"]["maxTokens"], self.manifest["tokens"]["endOfSequence"]
        cancelled = p["output"]["finishReason"] == "cancelled"
        need(not any(t in ends for t in ids[:-1]), "end of sequence before the last token")
        ended = bool(ids) and ids[-1] in ends
        need(ended == (detail == "endOfSequence") or cancelled and delivered < len(ids), "end of sequence")
        need(detail != "stopString" or ids and p["parameters"]["stop"], "a stop string, and none was given")
        need(len(ids) <= most and (detail != "tokenLimit" or len(ids) == most), "token limit")
        need(not cancelled or len(ids) < most or delivered < len(ids), "cancelled, and all of it delivered")

    def trusted(self):
        """Logs, names and quorum of the policy; without logs of its own, the promised one."""
        logs, names, quorum = self.o.policy or ([], {b"none": ()}, b"none")
        if not logs and not self.p["promise"]: raise Skip("neither a policy nor a promise names a log")
        return logs or [tlog.vkey(self.p["promise"]["log"].encode(), 1)], names, quorum
    def proof(self):
        if self.file["log"] is None: raise Skip("pending, or nothing promised")
        return Proof(self.file["log"], self.file["receipt"])
    def inclusion(self):
        proof = self.proof()
        self.trusted()
        proof.included()
    def logSignature(self):
        proof, promise = self.proof(), self.p["promise"]
        proof.signed_by(self.trusted()[0])
        if promise: proof.signed_by([tlog.vkey(promise["log"].encode(), 1)])
    def quorum_time(self):
        proof, trusted = self.proof(), self.trusted()
        try: proof.signed_by(trusted[0])
        except REFUSALS: raise Skip("not signed by a log of the policy")
        return proof.quorum_time(*trusted[1:])
    def witnessQuorum(self):
        self.quorum_time()
        if not self.o.policy: raise Skip("no witness is named")
    def logTime(self):
        promise, time = self.p["promise"], seconds(self.p["time"])
        need(not promise or seconds(promise["loggedBy"]) >= time, "loggedBy is before the time of the statement")
        try: at = self.quorum_time()
        except REFUSALS: raise Skip("no quorum")
        if at is None: raise Skip("nobody else says when")
        need(at >= time - 3600, "logged before the statement was made")
        if promise and at > seconds(promise["loggedBy"]): raise Skip("of a later checkpoint than the promised time")
    def promise(self): raise Skip("nobody looked into the log")
    def keyHistory(self):
        if not self.file["keys"]: raise Skip("the file shows nothing about keys")
        chain, revoked = key_chain(self.file["keys"], self.trusted())
        need(self.key in chain, "the chain does not name the key")
        if self.key not in revoked: return
        try:
            self.proof().included()
            at = self.quorum_time()
        except (Skip, *REFUSALS): at = None
        need(at is not None and at < revoked[self.key], "the key was revoked before the quorum saw the receipt")
    def no_model(self): raise Skip("this verifier has no model")
    rendering = decoding = replay = no_model

    def verdict(self):
        """Section 10: (outcome, exit status)."""
        def passed(*names): return all(self.results[name][0] == "PASS" for name in names)
        if any(map(self.failed, self.results)): return "refuted", 1
        signed = passed(*self.r, *([] if self.o.receipt_only else self.e))
        without_time = self.o.policy and self.o.policy[2] == b"none"
        holds = {"signed": signed, "logged": signed and passed(*L[:3], *([] if without_time else L[3:])), "replayed": False}
        return ("verified", 0) if all(holds[level] for level in ["signed", *self.o.require_level]) else ("unchecked", 2)

def u32le(ids): return b"".join(t.to_bytes(4, "little") for t in ids)
def links(link, ids):
    for token in ids: link = D("evident.stream.link.v1", link, token.to_bytes(4, "little"))
    return link

# Section 13: a saved stream.
def chunks(data):
    """(text, checkpoint or None) of every event, and whether the stream has its end mark."""
    need(len(data) <= 2**25, "too long")
    found, complete = [], False
    for event in re.split(rb"(?<=\n)\r?\n", b"\n" + data)[:-1]:
        lines = [line[5:].removeprefix(b" ").removesuffix(b"\r") for line in event.split(b"\n") if line.startswith(b"data:")]
        if not (value := b"\n".join(lines)): continue
        need(not complete, "an event after the end mark")
        if value == b"[DONE]":
            complete = True
            continue
        chunk = parse(value, 2**25, integers=False)
        def member(value, name): return value.get(name) if type(value) is dict else None
        choices = member(chunk, "choices")
        choice = choices[0] if type(choices) is list and choices else None
        texts = [t for t in (member(member(choice, "delta"), "content"), member(choice, "text")) if type(t) is str]
        point = None
        if type(chunk) is dict and "evident" in chunk:
            point = chunk["evident"]
            optional(dict(receiptId=IDENTIFIER, deliveredTokens=number(0, TOKENS), tokens=IDS, head=DIGEST, text=DIGEST,
                          signature=base64_(64)), start=hex_(32), publicKey=KEY)(point)
        found.append(((texts or [""])[0].encode(), point))
    return found, complete
def verify_stream(data, o):
    """(outcome, exit status, reason, tokens signed, bytes of text signed, bytes of text, is complete)"""
    text, link, first, count, signed = b"", None, None, 0, 0
    try:
        events, complete = chunks(data)
        for piece, point in events:
            text += piece
            if point is None: continue
            need(point.keys() >= {"start", "publicKey"} if first is None else not point.keys() & {"start", "publicKey"}, "start")
            begin = first or point
            need(not o.key or begin["publicKey"] in o.key, "not a key that the caller named")
            link = link or D("evident.stream.start.v1", bytes.fromhex(begin["start"]), begin["receiptId"].encode())
            longer, total, digest = links(link, point["tokens"]), count + len(point["tokens"]), sha256(text)
            need(point["receiptId"] == begin["receiptId"] and point["deliveredTokens"] == total, "receipt or count")
            need(point["head"] == "sha256:" + longer.hex() and point["text"] == "sha256:" + digest.hex(), "head or text")
            message = D("evident.stream.checkpoint.v1", point["receiptId"].encode(), total.to_bytes(8, "big"), longer, digest)
            verify_signature(bytes.fromhex(begin["publicKey"]), base64.b64decode(point["signature"]), message)
            first, link, count, signed = begin, longer, total, len(text)
    except REFUSALS as error:
        return "refuted", 1, str(error) or "signature", count, signed, len(text), False
    return (*(("verified", 0) if first else ("unchecked", 2)), "", count, signed, len(text), complete)

def options(arguments):
    parser = argparse.ArgumentParser()
    for flag in ("--policy", "--model", "--nonce"): parser.add_argument(flag)
    for flag in ("--key", "--require-level"): parser.add_argument(flag, action="append", default=[])
    for flag in ("--receipt-only", "--stream"): parser.add_argument(flag, action="store_true")
    parser.add_argument("files", nargs="*")
    o = parser.parse_args(arguments)
    if o.policy:
        o.policy = tlog.policy(Path(o.policy).read_bytes())
        if not o.policy[0] and o.policy[2] == b"none": o.policy = None  # it names nobody
    if o.policy:
        keys = [*o.policy[0], *(key for key in o.policy[1].values() if len(key) == 4)]
        need(not any(is_small(key[3]) for key in keys), "a key of small order")
    return o
if __name__ == "__main__":
    o, worst = options(sys.argv[1:]), 0
    for name in o.files:
        if o.stream:
            outcome, status, reason, count, signed, size, complete = verify_stream(Path(name).read_bytes(), o)
            print(f"{name}: {outcome}, {count} tokens, {signed} of {size} bytes of text{', whole' * complete} {reason}")
        else:
            evidence = Evidence(Path(name).read_bytes(), o)
            outcome, status = evidence.verdict()
            for check, (found, reason) in evidence.results.items(): print(f"{found} {check} {reason}".rstrip())
            print(f"{name}: {outcome}")
        worst = 1 if 1 in (worst, status) else max(worst, status)
    sys.exit(worst)
