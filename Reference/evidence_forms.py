"""The forms of evidence.md: strict JSON (section 1), receipts and statements (2 to 4, 11, 12), the file (8).

A form is a function that raises a ValueError when a value does not have it.
"""
import base64, calendar, datetime, json, re
import tlog_verify as tlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from evident_oracle import canonical
from evident_oracle.canonical import sha256

REFUSALS = (ValueError, InvalidSignature)  # UnicodeError, JSONDecodeError and Rejection are ValueErrors
need, TOKENS = tlog.need, 2**20
P = 2**255 - 19
def order8():  # twice such a point has y = 0, so that d y^4 + 2 y^2 = 1
    d = -121665 * pow(121666, -1, P)
    def roots(a):
        root = pow(a, (P + 3) // 8, P)
        return [r for r in (root, root * pow(2, (P - 1) // 4, P) % P) if r * r % P == a % P]
    return [y for r in roots(1 + d) for square in (r - 1, -r - 1) for y in roots(square * pow(d, -1, P))]
SMALL = {y.to_bytes(32, "little") for y in (0, 1, P - 1, P, P + 1, *order8(), *(P - y for y in order8()))}

# Section 1: forms. A form is a function that raises when a value does not have it.
def parse(data, limit, deepest=16, integers=True):
    """Strict JSON. `integers` refuses every other number, as wherever something is signed or digested."""
    need(len(data) <= limit, "too long")
    depth = 0
    for mark in re.sub(rb'"(?:[^"\\]|\\.)*"?', b"", data, flags=re.S):
        depth += (mark in b"{[") - (mark in b"}]")
        need(depth <= deepest, "nested too deep")
    def number(text):
        need(len(text) <= 400, "number")
        is_integer = re.fullmatch("0|-?[1-9][0-9]{0,15}", text) and abs(int(text)) < 2**53
        need(is_integer or not integers, "number")
        return int(text) if is_integer else float(text)
    def pairs(items):
        need(len(dict(items)) == len(items), "a name twice")
        return dict(items)
    def no(text): raise ValueError("no number")
    value = json.loads(data.decode(), object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=no)
    json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates
    need(depth_of(value) <= deepest, "nested too deep")
    return value
def depth_of(value):  # the outermost value is at depth 1
    return 1 + max(map(depth_of, value.values() if type(value) is dict else value if type(value) is list else ()), default=0)
def exactly(*values): return lambda v: need(any(type(v) is type(x) and v == x for x in values), f"not one of {values}")
def number(low, high): return lambda v: need(type(v) is int and low <= v <= high, f"not in {low}…{high}")
def text(most, pattern=r"(?s:.*)", least=0):
    return lambda v: need(type(v) is str and least <= len(v.encode()) <= most and re.fullmatch(pattern, v), f"not {pattern}")
def object_(**forms):
    def check(v):
        need(type(v) is dict and v.keys() == forms.keys(), f"members other than {[*forms]}")
        for name, form in forms.items(): form(v[name])
    return check
def array(form, least, most):
    def check(v):
        need(type(v) is list and least <= len(v) <= most, f"not {least} to {most}")
        for item in v: form(item)
    return check
def either(*forms):
    def check(v):
        for form in forms[:-1]:
            try: return form(v)
            except ValueError: pass
        forms[-1](v)
    return check
def hex_(size): return text(2 * size, f"[0-9a-f]{{{2 * size}}}")
def base64_(size=None): return lambda v: (text(2**20)(v), tlog.unbase64(v.encode(), size))
def seconds(v):
    text(20, r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")(v)
    moved = v.replace("0000", "0400", 1) if v.startswith("0000") else v  # 400 years are 146097 days
    time = datetime.datetime.strptime(moved, "%Y-%m-%dT%H:%M:%SZ")
    return calendar.timegm(time.timetuple()) - 146097 * 86400 * (moved is not v)
IDENTIFIER, DIGEST = text(128, "[A-Za-z0-9_.:-]+"), text(71, "sha256:[0-9a-f]{64}")
TOKEN = number(0, TOKENS - 1)
KEY = lambda v: (hex_(32)(v), need(not is_small(bytes.fromhex(v)), "key of small order"))
def is_small(key): return key[:31] + bytes([key[31] & 127]) in SMALL
def public_key(value): return bytes.fromhex(value)
def verify_signature(key, signature, message):
    need(not is_small(key), "key of small order")
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)

# Sections 2, 3, 4, 11, 12: receipts and statements.
PROMISE = either(exactly(None), object_(
    log=lambda v: (text(309)(v), need(not is_small(tlog.vkey(v.encode(), 1)[3]), "small order")), loggedBy=seconds))
ENVELOPE = object_(payload=base64_(), payloadType=exactly("application/vnd.in-toto+json"),
                   signatures=array(object_(keyid=hex_(32), sig=base64_(64)), 1, 1))
def statement(kind, **predicate):
    return object_(_type=exactly("https://in-toto.io/Statement/v1"), predicate=object_(**predicate),
                   predicateType=exactly("https://evident.dev/" + kind),
                   subject=array(object_(name=IDENTIFIER, digest=object_(sha256=hex_(32))), 1, 1))
COMMON = dict(
    receiptId=IDENTIFIER, responseId=IDENTIFIER, price=exactly(None), promise=PROMISE, time=seconds,
    model=object_(manifest=DIGEST, arithmetic=exactly("evident.int.v1"), requestedName=text(256)),
    node=object_(publicKey=KEY, software=text(128)))
BIAS = array(object_(token=TOKEN, micros=number(-10**8, 10**8)), 0, 4096)
def ascending(v): need(all(a["token"] < b["token"] for a, b in zip(v, v[1:])), "logitBias is not ascending")
PARAMETERS = object_(
    temperatureMicros=either(exactly(0), number(1000, 2000000)), topK=number(0, TOKENS - 1), topPMicros=number(1, 10**6),
    minPMicros=number(0, 10**6), repetitionPenaltyMicros=number(100000, 10**7),
    frequencyPenaltyMicros=number(-2000000, 2000000), presencePenaltyMicros=number(-2000000, 2000000),
    logitBias=lambda v: (BIAS(v), ascending(v)), maxTokens=number(1, TOKENS), stop=array(text(1024, least=1), 0, 16),
    seed=either(exactly(None), lambda v: (text(20, "0|[1-9][0-9]*")(v), need(int(v) < 2**64, "seed"))))
NONCE = either(object_(source=exactly("client"), value=text(128, "([0-9a-f]{2})+")),
               object_(source=exactly("node"), value=hex_(32)), object_(source=exactly("none"), value=exactly("")))
def output(reason, *details): return object_(
    tokenCount=number(0, TOKENS), tokenCommitment=DIGEST, textCommitment=DIGEST, finishReason=exactly(reason),
    finishDetail=exactly(*details))
EMBEDDINGS = "https://evident.dev/embedding/v1"
ANSWER = statement(
    "answer/v1", **COMMON, endpoint=exactly("chat.completions", "completions"), parameters=PARAMETERS, nonce=NONCE,
    input=object_(tokenCount=number(1, TOKENS), tokenCommitment=DIGEST, promptCommitment=DIGEST, truncation=exactly("none")),
    output=either(output("stop", "endOfSequence", "stopString"), output("length", "tokenLimit"),
                  output("cancelled", "clientCancelled", "nodeCancelled")),
    stream=object_(deliveredTokens=number(0, TOKENS), head=DIGEST),
    usage=object_(promptTokens=number(1, TOKENS), completionTokens=number(0, TOKENS), totalTokens=number(1, 2 * TOKENS)))
EMBEDDING = statement(
    "embedding/v1", **COMMON, endpoint=exactly("embeddings"), parameters=object_(dimensions=number(1, 2**14)),
    input=object_(count=number(1, 2048), tokenCount=number(1, TOKENS), tokenCommitment=DIGEST, promptCommitment=DIGEST,
                  truncation=exactly("none")),
    output=object_(count=number(1, 2048), vectorCommitment=DIGEST),
    usage=object_(promptTokens=number(1, TOKENS), totalTokens=number(1, TOKENS)))
SUCCESSION = statement("key-succession/v1", **{"from": KEY}, to=KEY, time=seconds, consent=base64_(64))
REVOCATION = statement("key-revocation/v1", **{"from": seconds}, key=KEY, reason=text(1024), signer=KEY)

# model.md: members, types and order of a manifest; its bounds and shapes are for whoever loads the model.
NUMBER, INT32, SIZE = number(1 - 2**53, 2**53 - 1), number(-2**31, 2**31 - 1), number(0, 2**53 - 1)
def optional(required, **forms):
    return lambda v: object_(**required, **{n: f for n, f in forms.items() if type(v) is dict and n in v})(v)
def ascending_(form, least, key=lambda v: v):
    def check(v):
        array(form, least, 2**24)(v)
        need(all(key(a) < key(b) for a, b in zip(v, v[1:])), "not sorted")
    return check
def by_name(v): return v["name"].encode()
BLOB, NAME = object_(digest=DIGEST, bytes=SIZE), text(2**24)
FREQUENCIES = array(hex_(8), 0, 2**24)
PROJECTIONS = exactly(*(p + "_proj" for p in "down gate k o q up v".split()))
CONFIG = optional(
    {**dict.fromkeys("""hiddenSize layers heads keyValueHeads headDimension intermediateSize vocabularySize contextLength
        residualFractionBits normEpsilon""".split(), NUMBER), "tiedEmbeddings": exactly(True, False)},
    **dict.fromkeys("attentionSoftcap experts expertsPerToken headNormEpsilon logitsSoftcap window".split(), NUMBER),
    activation=exactly("gelu", "geluTanh"), biases=ascending_(PROJECTIONS, 1), expertSharesOfAll=exactly(True),
    embeddingScale=lambda v: (NUMBER(v), need(v != 2**14, "scale of one")), localLayers=ascending_(NUMBER, 1),
    normalised=exactly(True), pooling=exactly("cls", "last", "mean"), ropelessLayers=ascending_(NUMBER, 1))
MANIFEST = object_(
    schema=exactly("evident.model.v1"), arithmetic=exactly("evident.int.v1"), architecture=NAME, config=CONFIG,
    rope=optional({"frequencies": FREQUENCIES}, localFrequencies=FREQUENCIES),
    tokens=object_(endOfSequence=array(INT32, 0, 2**24), beginOfSequence=either(exactly(None), INT32)),
    tensors=ascending_(object_(
        name=NAME, kind=exactly("bias", "gain", "linear16", "linear4", "linear4m", "linear8", "table16"),
        shape=array(NUMBER, 0, 2**24), exponent=NUMBER, offset=NUMBER, bytes=NUMBER), 0, by_name),
    blobs=object_(weights=BLOB, tokenizer=BLOB, chatTemplate=either(exactly(None), BLOB)),
    source=object_(format=exactly("gguf", "safetensors"),
                   files=ascending_(object_(name=NAME, digest=DIGEST, bytes=SIZE), 0, by_name)))

# A tlog-proof under a policy: inclusion, the log's signature and the quorum's time, each on its own.
class Proof:
    def __init__(self, value, envelope=None):
        text(2**19)(value)
        head, gap, self.signed = value.encode().partition(b"\n\n")
        form = re.fullmatch(rb"c2sp\.org/tlog-proof@v1\n(?:extra ([^\n]+)\n)?index ([^\n]+)((?:\n[^\n]+)*)", head)
        need(form and gap and (form[1] is None or 0 < len(tlog.unbase64(form[1])) <= 1 << 16), "form of the proof")
        self.index, hashes = tlog.number(form[2]), [tlog.unbase64(h, 32) for h in form[3].split(b"\n")[1:]]
        need(len(self.signed) <= 256 << 10 and len(hashes) <= 63, "length of the proof")
        self.body, self.signatures = tlog.note(self.signed)
        need(len(self.signatures) <= 100, "too many signatures")
        need(all(len(name) <= 255 and len(signature) <= 8192 for name, _, signature in self.signatures), "signature line")
        lines = self.body.split(b"\n")
        need(len(lines) == 4 and lines[0] and len(lines[0]) <= 255 and not lines[3], "lines of the checkpoint")
        self.origin, self.size, self.root = lines[0], tlog.number(lines[1]), tlog.unbase64(lines[2], 32)
        self.leaf, self.hashes = tlog.leaf_hash(canonical.encode(envelope)), hashes
    def included(self): tlog.check_inclusion(self.leaf, self.index, self.size, self.hashes, self.root)
    def times_of(self, keys):  # key → times of its cosignatures (0 for a log's)
        found = {}
        for name, key_id, signature in self.signatures:
            for key in keys:
                if key[:2] == (name, key_id):
                    tlog.check_signature(self.body, *key[2:], signature)
                    found.setdefault(key, []).append(int.from_bytes(signature[:8], "big") if key[2] == 4 else 0)
        return found
    def signed_by(self, logs): need(any(k[0] == self.origin for k in self.times_of(logs)), "signed by no log of the policy")
    def quorum_time(self, names, quorum):
        """When the quorum was there, None for `quorum none`; raises without a quorum."""
        found = self.times_of([key for key in names.values() if len(key) == 4])
        if quorum == b"none": return None
        def enough(what, by):
            if len(what) == 4: return any(t <= by for t in found.get(what, []))
            return sum(enough(names[m], by) for m in what[1]) >= what[0]
        times = sorted(t for ts in found.values() for t in ts)
        need(any(enough(names[quorum], t) for t in times), "no quorum")
        return next(t for t in times if enough(names[quorum], t))

# Section 8: the file.
MESSAGE = object_(role=text(32, "[a-z_]+"), content=text(2**24))
IDS = array(TOKEN, 0, TOKENS)
OPENING = object_(salt=hex_(32), inputTokens=IDS, outputTokens=IDS, text=text(2**24), request=either(
    object_(messages=array(MESSAGE, 0, 2**14)), object_(prompt=text(2**24))))
VECTOR = object_(exponent=number(-64, 64), values=array(number(-2**24, 2**24), 0, 2**14))
VECTORS = object_(salt=hex_(32), inputTokens=array(IDS, 0, 2048), vectors=array(VECTOR, 0, 2048),
                  request=object_(input=array(either(text(2**24), IDS), 0, 2048)))
FILE = object_(
    schema=exactly("evident.evidence.v1"), receipt=ENVELOPE, log=either(exactly(None), Proof),
    opening=lambda v: v is None or (VECTORS if type(v) is dict and "vectors" in v else OPENING)(v),
    model=lambda v: need(type(v) is dict, "model is no object"), keys=array(object_(entry=ENVELOPE, log=Proof), 0, 64))
def read_file(data):
    value = parse(data, 2**25)
    if type(value) is dict and "payloadType" in value and "schema" not in value:
        value = dict(schema="evident.evidence.v1", receipt=value, opening=None, model={}, log=None, keys=[])
        value["alone"] = ENVELOPE(value["receipt"]), need(len(data) <= 384 << 10, "receipt too long")
    else: FILE(value)
    for envelope in [value["receipt"], *(key["entry"] for key in value["keys"])]:
        need(len(payload_of(envelope)) <= 256 << 10, "payload too long")
    return value
def payload_of(envelope): return base64.b64decode(envelope["payload"])
def verify_envelope(envelope, key):
    kind, payload = envelope["payloadType"].encode(), payload_of(envelope)
    verify_signature(key, base64.b64decode(envelope["signatures"][0]["sig"]),
                     b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
def key_id(key): return sha256(bytes.fromhex(key)).hex()
