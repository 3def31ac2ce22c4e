"""What an evidence file says about one answer: as much of evidence.md as recomputing it takes.

Signatures are not checked here; whoever recomputes the answer does not need them.
"""

import base64
import json
from dataclasses import dataclass

from . import canonical, sampling
from .canonical import Rejection, tagged_digest
from .decoder import Decoder


@dataclass(frozen=True)
class Answer:
    manifestDigest: bytes
    inputTokens: list
    outputTokens: list
    parameters: dict
    nonce: bytes
    nonceSource: str
    finishReason: str
    finishDetail: str
    text: str

    @property
    def sampling(self):
        """The parameters as the sampler takes them."""
        fields = {name: self.parameters[name] for name in vars(sampling.Parameters()) if name != "logitBias"}
        bias = {entry["token"]: entry["micros"] for entry in self.parameters["logitBias"]}
        return sampling.Parameters(**fields, logitBias=bias)

    def stream_key(self):
        return sampling.stream_key(
            self.manifestDigest,
            sampling.input_digest(self.inputTokens),
            sampling.parameters_digest(self.parameters),
            int(self.parameters["seed"] or 0),
            self.nonce,
        )


def read(data):
    """The answer in the bytes of an evidence file whose opening fits its statement, or `Rejection`."""
    file = json.loads(data)
    payload = base64.b64decode(file["receipt"]["payload"], validate=True)
    predicate = canonical.decode(payload, "payload")["predicate"]
    opening = file["opening"]
    if opening is None:
        raise Rejection("evidence: there is no opening")
    manifest = "sha256:" + canonical.sha256(canonical.encode(file["model"])).hex()
    if manifest != predicate["model"]["manifest"]:
        raise Rejection("evidence: the model is not the one of the statement")
    for which, tokens in (("in", opening["inputTokens"]), ("out", opening["outputTokens"])):
        stated = predicate["input" if which == "in" else "output"]["tokenCommitment"]
        if stated != _token_commitment(which, bytes.fromhex(opening["salt"]), tokens):
            raise Rejection(f"evidence: the {which}put tokens are not those of the statement")
    return Answer(
        manifestDigest=bytes.fromhex(manifest.removeprefix("sha256:")),
        inputTokens=opening["inputTokens"],
        outputTokens=opening["outputTokens"],
        parameters=predicate["parameters"],
        nonce=bytes.fromhex(predicate["nonce"]["value"]),
        nonceSource=predicate["nonce"]["source"],
        finishReason=predicate["output"]["finishReason"],
        finishDetail=predicate["output"]["finishDetail"],
        text=opening["text"],
    )


def _token_commitment(which, salt, tokens):
    tag = f"evident.commit.{which}put.v1"
    digest = tagged_digest(f"evident.tokens.{which}.v1", b"".join(t.to_bytes(4, "little") for t in tokens))
    return "sha256:" + tagged_digest(tag, tagged_digest("evident.salt.v1", salt, tag.encode()), digest).hex()


def recompute(loaded, answer):
    """The output ids and finish reason that this model gives, from input, parameters and nonce alone.

    An answer that a stop string ended is recomputed up to its length: the ids do not show the string.
    """
    limit = answer.parameters["maxTokens"]
    if answer.finishDetail == "stopString":
        limit = len(answer.outputTokens)
    return sampling.generate(Decoder(loaded), answer.inputTokens, limit, answer.sampling, answer.stream_key())
