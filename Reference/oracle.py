#!/usr/bin/env python3
"""Command line of the reference: run, trace, make-random, from-hf, tables."""

import argparse
import json
import sys

from evident_oracle import importer, model, random_model, sampling, tables
from evident_oracle.canonical import Rejection
from evident_oracle.llama import Llama
from evident_oracle.trace import Trace


def _ids(text):
    return [int(part) for part in text.replace(",", " ").split()]


def _print(document):
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _run(arguments):
    loaded = model.load(arguments.pack)
    document = json.loads(arguments.parameters)
    fields = dict(document)
    fields["logitBias"] = {int(token): bias for token, bias in document.get("logitBias", {}).items()}
    parameters = sampling.Parameters(**fields)

    def digest(text, computed):
        return bytes.fromhex(text.removeprefix("sha256:")) if text else computed()

    key = sampling.stream_key(
        loaded.digest,
        digest(arguments.input_digest, lambda: sampling.input_digest(arguments.tokens)),
        digest(arguments.parameters_digest, lambda: sampling.parameters_digest(document)),
        arguments.seed,
        bytes.fromhex(arguments.nonce),
    )
    trace = Trace() if arguments.trace else None
    llama = Llama(loaded, trace)
    output, finish = sampling.generate(llama, arguments.tokens, arguments.max_tokens, parameters, key)
    result = {"model": loaded.digest.hex(), "tokens": output, "finish": finish, "positions": llama.position}
    if trace:
        result["trace"] = trace.digests()
    _print(result)


def _trace(arguments):
    trace = Trace()
    llama = Llama(model.load(arguments.pack), trace)
    step = arguments.chunk or len(arguments.tokens)
    for start in range(0, len(arguments.tokens), step):
        llama.forward(arguments.tokens[start : start + step])
    _print(trace.digests())


def _make_random(arguments):
    config = model.Config(
        hiddenSize=arguments.hidden,
        layers=arguments.layers,
        heads=arguments.heads,
        keyValueHeads=arguments.kv_heads,
        headDimension=arguments.head_dim,
        intermediateSize=arguments.intermediate,
        vocabularySize=arguments.vocab,
        contextLength=arguments.context,
        residualFractionBits=arguments.fraction_bits,
        normEpsilon=max(1, arguments.hidden * 2 ** (2 * arguments.fraction_bits) // 100000),
        tiedEmbeddings=arguments.tied,
    )
    _print({"model": random_model.make(arguments.pack, arguments.seed, config, arguments.massive).digest.hex()})


def _from_hf(arguments):
    _print({"model": importer.import_directory(arguments.directory, arguments.pack).digest.hex()})


def _tables(arguments):
    _print(tables.digests())


def _parser():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    run = commands.add_parser("run", help="generate tokens")
    run.add_argument("pack")
    run.add_argument("--tokens", type=_ids, required=True)
    run.add_argument("--max-tokens", type=int, default=16)
    run.add_argument("--parameters", default="{}", help="JSON with the members of sampling.Parameters")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--nonce", default="", help="hexadecimal")
    run.add_argument("--input-digest", default="", help="instead of the digest of --tokens")
    run.add_argument("--parameters-digest", default="", help="instead of the digest of --parameters")
    run.add_argument("--no-trace", dest="trace", action="store_false")
    run.set_defaults(run=_run)

    trace = commands.add_parser("trace", help="print the trace digests over given ids")
    trace.add_argument("pack")
    trace.add_argument("--tokens", type=_ids, required=True)
    trace.add_argument("--chunk", type=int, default=0, help="positions per call; 0 for all at once")
    trace.set_defaults(run=_trace)

    random = commands.add_parser("make-random", help="write a random tiny model")
    random.add_argument("pack")
    random.add_argument("--seed", type=int, default=0)
    random.add_argument("--hidden", type=int, default=48)
    random.add_argument("--layers", type=int, default=2)
    random.add_argument("--heads", type=int, default=4)
    random.add_argument("--kv-heads", type=int, default=2)
    random.add_argument("--head-dim", type=int, default=12)
    random.add_argument("--intermediate", type=int, default=100)
    random.add_argument("--vocab", type=int, default=131)
    random.add_argument("--context", type=int, default=256)
    random.add_argument("--fraction-bits", type=int, default=20)
    random.add_argument("--massive", action="store_true", help="a few rows of up_proj and embed_tokens x128")
    random.add_argument("--tied", action=argparse.BooleanOptionalAction, default=False)
    random.add_argument("--untied", dest="tied", action="store_false")
    random.set_defaults(run=_make_random)

    from_hf = commands.add_parser("from-hf", help="convert a Hugging Face directory")
    from_hf.add_argument("directory")
    from_hf.add_argument("pack")
    from_hf.set_defaults(run=_from_hf)

    commands.add_parser("tables", help="print the digests of the tables").set_defaults(run=_tables)
    return parser


def main():
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except (Rejection, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
