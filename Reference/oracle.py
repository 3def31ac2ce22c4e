#!/usr/bin/env python3
"""Command line of the reference, and what the tests of other implementations talk to.

Every command prints one JSON document on standard output and ends with status 0, or prints `error: …` on standard
error and ends with another status.

    make-random PACK --seed S [--architecture A] [--weights W] [--vary] [--config JSON] [sizes]
        Writes a random tiny model as a pack: {"model": DIGEST, "architecture": A, "config": {…}}. A is one of those
        that `architectures` lists (default llama), W is 8bit (default), 16bit, 4bit, 4bit-minimums (linear4m) or mixed
        (each weight one of the four); a weight whose input is no multiple of 32 is linear8 instead of 4 bits. --vary
        adds a random choice of the optional members that A allows; --config adds or replaces members, null removes one.
        --rotating N: only the first N elements of each head rotate. The same arguments give the same bytes.
    run PACK --tokens 1,2,3 --max-tokens N [--parameters JSON] [--seed S] [--nonce HEX] [--no-trace] [digests]
        Generates with a decoder: {"model", "tokens": […], "finish", "positions", "trace": {NAME: DIGEST}}.
        --parameters holds members of section 7 of arithmetic.md, `logitBias` as an object from id to micros.
        --input-digest and --parameters-digest replace the digests of what was given.
    trace PACK --tokens 1,2,3 [--chunk N]
        Trace digests (arithmetic.md, section 8) of a model of either kind over these ids: {NAME: DIGEST}.
    embed PACK --tokens 1,2,3 [--dimensions D]
        Of an encoder: {"model", "vector": […], "exponent", "trace": {…}}; the vector of section 4.17.
    from-hf DIRECTORY PACK [--weights 4bit|8bit|16bit] [--head 4bit|8bit|16bit]
        Converts a Hugging Face directory by the rules of model.md (default: 16bit for encoders, 8bit otherwise, heads 8bit): {"model", "architecture", "config"}.
    tables          {NAME: DIGEST} of section 10.
    architectures   {"decoders": […], "encoders": […]}.
"""

import argparse
import json
import sys

from evident_oracle import architectures, importer, model, random_model, sampling, tables
from evident_oracle.canonical import Rejection
from evident_oracle.decoder import Decoder
from evident_oracle.encoder import Encoder
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
    decoder = Decoder(loaded, trace)
    output, finish = sampling.generate(decoder, arguments.tokens, arguments.max_tokens, parameters, key)
    result = {"model": loaded.digest.hex(), "tokens": output, "finish": finish, "positions": decoder.position}
    if trace:
        result["trace"] = trace.digests()
    _print(result)


def _trace(arguments):
    trace, loaded = Trace(), model.load(arguments.pack)
    if loaded.architecture in architectures.ENCODERS:
        Encoder(loaded, trace).forward(arguments.tokens)
    else:
        decoder, step = Decoder(loaded, trace), arguments.chunk or len(arguments.tokens)
        for start in range(0, len(arguments.tokens), step):
            decoder.forward(arguments.tokens[start : start + step])
    _print(trace.digests())


def _embed(arguments):
    trace, loaded = Trace(), model.load(arguments.pack)
    vector, exponent = Encoder(loaded, trace).embedding(arguments.tokens, arguments.dimensions)
    document = {"model": loaded.digest.hex(), "vector": vector.tolist(), "exponent": exponent}
    _print({**document, "trace": trace.digests()})


def _described(loaded):
    return {"model": loaded.digest.hex(), "architecture": loaded.architecture, "config": loaded.config.members()}


def _make_random(arguments):
    config = random_model.base_config(
        arguments.architecture,
        hiddenSize=arguments.hidden,
        layers=arguments.layers,
        heads=arguments.heads,
        keyValueHeads=arguments.heads if arguments.architecture in architectures.ENCODERS else arguments.kv_heads,
        headDimension=arguments.head_dim,
        intermediateSize=arguments.intermediate,
        vocabularySize=arguments.vocab,
        contextLength=arguments.context,
        residualFractionBits=arguments.fraction_bits,
        tiedEmbeddings=arguments.tied,
    )
    if arguments.vary:
        config = random_model.varied_config(arguments.architecture, config, arguments.seed)
    config = architectures.Config(**{**config.members(), **json.loads(arguments.config)})
    made = random_model.make(
        arguments.pack, arguments.seed, config, arguments.massive, arguments.architecture, arguments.weights,
        arguments.rotating,
    )
    _print(_described(made))


def _from_hf(arguments):
    bits = {"8bit": 8, "4bit": 4, "16bit": 16, "": None}
    made = importer.import_directory(arguments.directory, arguments.pack, bits[arguments.weights], bits[arguments.head])
    _print(_described(made))


def _architectures(arguments):
    _print({"decoders": architectures.DECODERS, "encoders": architectures.ENCODERS})


def _tables(arguments):
    _print(tables.digests())


def _parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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

    embed = commands.add_parser("embed", help="print the embedding of a sequence")
    embed.add_argument("pack")
    embed.add_argument("--tokens", type=_ids, required=True)
    embed.add_argument("--dimensions", type=int)
    embed.set_defaults(run=_embed)

    random = commands.add_parser("make-random", help="write a random tiny model")
    random.add_argument("pack")
    random.add_argument("--seed", type=int, default=0)
    random.add_argument("--architecture", choices=architectures.ARCHITECTURES, default="llama")
    random.add_argument("--weights", choices=random_model.FORMATS, default="8bit")
    random.add_argument("--vary", action="store_true", help="choose optional members of the configuration")
    random.add_argument("--config", default="{}", help="JSON with members of the configuration")
    random.add_argument("--rotating", type=int, help="how many elements of each head rotate; all when absent")
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
    from_hf.add_argument("--weights", choices=["4bit", "8bit", "16bit"], default="")
    from_hf.add_argument("--head", choices=["4bit", "8bit", "16bit"], default="")
    from_hf.set_defaults(run=_from_hf)

    commands.add_parser("tables", help="print the digests of the tables").set_defaults(run=_tables)
    commands.add_parser("architectures", help="list them").set_defaults(run=_architectures)
    return parser


def main():
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except (Rejection, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
