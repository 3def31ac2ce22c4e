#!/usr/bin/env python3
"""Measures what the integer profile costs against a binary64 Llama over the same Hugging Face weights.

Three comparisons: the whole profile against the original weights; the arithmetic alone (against binary64
over the converted weights); the 8-bit weights alone. `--blame` then takes the operators one by one.
"""

import argparse
import json
import os
import tempfile

import numpy as np

from evident_oracle import dequantised, float_llama, frequencies, huggingface, importer, model, safetensors, sampling
from evident_oracle.decoder import Decoder


HELDOUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tests", "heldout.json")


def _untied(arrays, raw):
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    raw = dict(raw)
    if raw.get("tie_word_embeddings"):
        arrays["lm_head.weight"] = arrays["model.embed_tokens.weight"].copy()
        raw["tie_word_embeddings"] = False
    return arrays, raw


def make_massive(arrays, raw, seed=1):
    """An untied copy with two columns of the embedding table x1000 and 16 rows of each up_proj x100.

    This destroys what the model knows; only its closeness to binary64 is of interest.
    """
    rng = np.random.default_rng(seed)
    arrays, raw = _untied(arrays, raw)
    columns = rng.choice(raw["hidden_size"], 2, replace=False)
    arrays["model.embed_tokens.weight"][:, columns] *= 1000
    for name in arrays:
        if name.endswith("up_proj.weight"):
            arrays[name][rng.choice(len(arrays[name]), 16, replace=False)] *= 100
    return arrays, raw


def make_sinks(arrays, raw, sequences, seed=1, size=1000.0, activation=50.0):
    """An untied copy that keeps what the model knows, with massive activations as real models have them.

    Two residual columns hold a constant `size` times the usual deviation, which every norm turns into
    activations of `activation` that no weight reads; the gains are rescaled by the mean change of the norm.
    16 rows of each up_proj are x100 and the columns of down_proj that read them / 100.
    """
    rng = np.random.default_rng(seed)
    arrays, raw = _untied(arrays, raw)
    columns = rng.choice(raw["hidden_size"], 2, replace=False)
    for name, array in arrays.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            array[columns] = 0
        elif name.endswith("proj.weight") or name == "lm_head.weight":
            array[:, columns] = 0
    roots = {}

    def observe(name, x):
        roots.setdefault(name, []).append(np.sqrt((np.delete(x, columns, axis=1) ** 2).sum(axis=1)))

    for tokens in sequences[:8]:
        float_llama.plain(raw, arrays, tokens, observe)
    constant = size * np.mean(roots["model.layers.0.input_layernorm.weight"][0]) / raw["hidden_size"] ** 0.5
    arrays["model.embed_tokens.weight"][:, columns] = constant
    for name, parts in roots.items():
        old = np.concatenate(parts)
        new = np.sqrt(old**2 + 2 * constant**2).mean()
        arrays[name] *= new / old.mean()
        arrays[name][columns] = activation * new / raw["hidden_size"] ** 0.5 / constant
    for name in arrays:
        if name.endswith("up_proj.weight"):
            rows = rng.choice(len(arrays[name]), 16, replace=False)
            arrays[name][rows] *= 100
            arrays[name.replace("up_proj", "down_proj")][:, rows] /= 100
    return arrays, raw


def make_random(seed, d, layers, heads, kv_heads, head_dimension, intermediate, vocabulary, tied, sharpness=3.0):
    """Gaussian weights with a deviation of 1/sqrt(fan-in); the last gain is scaled so that logits are peaked."""
    rng = np.random.default_rng(seed)
    raw = {
        "model_type": "llama", "hidden_size": d, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "head_dim": head_dimension, "intermediate_size": intermediate,
        "vocab_size": vocabulary, "tie_word_embeddings": tied, "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 2048,
    }
    arrays = {}

    def normal(name, *shape):
        arrays[name + ".weight"] = rng.normal(0, shape[1] ** -0.5, shape).astype(np.float32)

    def gain(name, scale=1.0):
        arrays[name + ".weight"] = (scale * rng.normal(1, 0.2, d)).astype(np.float32)

    normal("model.embed_tokens", vocabulary, d)
    if not tied:
        normal("lm_head", vocabulary, d)
    gain("model.norm", sharpness)
    for n in range(layers):
        prefix = f"model.layers.{n}."
        gain(prefix + "input_layernorm")
        gain(prefix + "post_attention_layernorm")
        normal(prefix + "self_attn.q_proj", heads * head_dimension, d)
        normal(prefix + "self_attn.k_proj", kv_heads * head_dimension, d)
        normal(prefix + "self_attn.v_proj", kv_heads * head_dimension, d)
        normal(prefix + "self_attn.o_proj", d, heads * head_dimension)
        normal(prefix + "mlp.gate_proj", intermediate, d)
        normal(prefix + "mlp.up_proj", intermediate, d)
        normal(prefix + "mlp.down_proj", d, intermediate)
    return arrays, raw


def convert(arrays, raw, bits=8, head=None):
    """The model in the profile, through a pack as anyone else would read it."""
    description = huggingface.describe(raw)
    with tempfile.TemporaryDirectory() as folder:
        return model.save(
            os.path.join(folder, "pack"),
            description.architecture,
            description.config,
            importer.convert_tensors(description, arrays, bits, head),
            description.frequencies,
            {"endOfSequence": [0], "beginOfSequence": None},
            b"{}",
            None,
            [],
        )


def sampled_sequences(converted, count, length):
    """Sequences drawn at temperature 1 from the model itself, so that perplexity means something."""
    parameters = sampling.Parameters(temperatureMicros=10**6)
    vocabulary, result = converted.config.vocabularySize, []
    for s in range(count):
        decoder, sequence = Decoder(converted), [(s * 7919 + 1) % vocabulary]
        key = sampling.stream_key(bytes(32), bytes(32), bytes(32), s, b"")
        while len(sequence) < length:
            t, e = decoder.forward(sequence[-1:])
            n = len(sequence)
            sequence.append(sampling.choose(t[0], e[0], [], [], parameters, lambda: sampling.draw(key, n)))
        result.append(sequence)
    return result


def read_llama(directory):
    """config.json of a plain Llama with defaults filled in, as float_llama needs it."""
    description = huggingface.read(directory)
    raw, config = description.raw, description.config
    if description.architecture != "llama" or config.biases or config.activation:
        raise ValueError(f"{directory} is not a plain Llama")
    rope = {"rope_theta": 10000.0, **raw, **(raw.get("rope_parameters") or {})}
    if description.frequencies != frequencies.frequencies(rope["rope_theta"], config.headDimension // 2):
        raise ValueError(f"{directory} has a rope scaling")
    return {
        **raw, "rope_theta": rope["rope_theta"], "head_dim": config.headDimension,
        "num_key_value_heads": config.keyValueHeads,
    }


def integer_logits(converted, tokens):
    t, e = Decoder(converted).forward(tokens)
    return np.ldexp(t.astype(np.float64), e[:, None])


class Comparison:
    """Running statistics of one candidate against one reference."""

    def __init__(self):
        self.cosines, self.same, self.losses, self.divergences = [], [], [], []

    def add(self, reference, candidate, tokens):
        norms = np.linalg.norm(reference, axis=-1) * np.linalg.norm(candidate, axis=-1)
        self.cosines.append((reference * candidate).sum(axis=-1) / norms)
        self.same.append(reference.argmax(axis=-1) == candidate.argmax(axis=-1))
        rows, following = np.arange(len(tokens) - 1), np.array(tokens[1:])
        log_p, log_q = _log_softmax(reference), _log_softmax(candidate)
        self.losses.append(np.stack([-log_p[rows, following], -log_q[rows, following]]))
        self.divergences.append((np.exp(log_p) * (log_p - log_q)).sum(axis=-1))

    def summary(self):
        cosines, same = np.concatenate(self.cosines), np.concatenate(self.same)
        reference, candidate = np.concatenate(self.losses, axis=1).mean(axis=1)
        return {
            "positions": len(same),
            "cosine_mean": round(float(cosines.mean()), 8),
            "cosine_min": round(float(cosines.min()), 6),
            "top1_percent": round(100 * float(same.mean()), 3),
            "perplexity_reference": round(float(np.exp(reference)), 5),
            "perplexity_change_percent": round(100 * float(np.expm1(candidate - reference)), 4),
            "divergence_mean": float(f"{np.concatenate(self.divergences).mean():.3g}"),
        }


def _log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def evaluate(arrays, raw, sequences, converted=None, blame=False):
    """Name of comparison → summary."""
    converted = converted or convert(arrays, raw)
    exact = float_llama.Mixed(converted)
    everything = set(float_llama.OPERATORS)
    variants = {}
    if blame:
        for name in float_llama.OPERATORS:
            variants[f"only {name}"] = float_llama.Mixed(converted, [name])
            variants[f"without {name}"] = float_llama.Mixed(converted, everything - {name})
        variants["all, emulated"] = float_llama.Mixed(converted, everything)
    results = {name: Comparison() for name in ["profile", "arithmetic", "weights", *variants]}
    for tokens in sequences:
        original, converted_exact = float_llama.plain(raw, arrays, tokens), exact.forward(tokens)
        integer = integer_logits(converted, tokens)
        results["profile"].add(original, integer, tokens)
        results["arithmetic"].add(converted_exact, integer, tokens)
        results["weights"].add(original, converted_exact, tokens)
        for name, mixed in variants.items():
            results[name].add(converted_exact, mixed.forward(tokens), tokens)
    return {name: result.summary() for name, result in results.items()}


def weight_formats(loaded, sequences):
    """Rows (weights, reference, summary) of a Llama's pack in 8 and in 4 bits, against two floating-point models.

    *original* is binary64 over the weights that the pack stands for, in binary32; *same weights* is binary64 over
    what the format made of them, so that only the arithmetic differs.
    """
    arrays, raw = dequantised.llama(loaded)
    formats = {"8 bits": loaded, "4 bits": convert(arrays, raw, 4), "4 bits, head too": convert(arrays, raw, 4, 4)}
    exact = {name: float_llama.Mixed(converted) for name, converted in formats.items()}
    results = {(name, reference): Comparison() for name in formats for reference in ("original", "same weights")}
    for tokens in sequences:
        original = float_llama.plain(raw, arrays, tokens)
        for name, converted in formats.items():
            integer = integer_logits(converted, tokens)
            results[name, "original"].add(original, integer, tokens)
            results[name, "same weights"].add(exact[name].forward(tokens), integer, tokens)
    return [(*key, result.summary()) for key, result in results.items()]


def formats_table(rows):
    """The rows as a Markdown table."""
    lines = ["| weights | binary64 over | perplexity | of binary64 | change % | least cosine | top-1 % |", "| --- " * 7 + "|"]
    for name, reference, summary in rows:
        change, before = summary["perplexity_change_percent"], summary["perplexity_reference"]
        lines.append(
            f"| {name} | {reference} | {before * (1 + change / 100):.5f} | {before:.5f} | {change:+.4f} "
            f"| {summary['cosine_min']:.6f} | {summary['top1_percent']:.2f} |"
        )
    return "\n".join(lines)


SHAPE_FIELDS = "d layers heads kv_heads head_dimension intermediate vocabulary tied".split()
SHAPES = {
    "odd": (96, 3, 6, 2, 20, 250, 601, True),
    "small": (256, 4, 4, 2, 64, 688, 2048, True),
    "wide": (1024, 2, 8, 8, 128, 2816, 2000, False),
    "deep": (256, 16, 4, 4, 64, 512, 1000, False),
    "head256": (512, 2, 2, 1, 256, 1024, 1000, False),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", help="a Hugging Face directory; without it, random models")
    parser.add_argument("--sequences", help="JSON file: a list of lists of token ids; otherwise sampled from the model")
    parser.add_argument("--limit", type=int, default=100, help="at most so many sequences")
    parser.add_argument("--massive", action="store_true", help="inject massive activations")
    parser.add_argument("--sinks", action="store_true", help="massive activations that keep what the model knows")
    parser.add_argument("--blame", action="store_true", help="also measure single operators")
    parser.add_argument("--shape", choices=SHAPES, action="append", help="which random models")
    parser.add_argument("--weight-formats", metavar="PACK", help="only the table of this pack in 8 and 4 bits")
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--length", type=int, default=64)
    arguments = parser.parse_args()
    if arguments.weight_formats:
        with open(arguments.sequences or HELDOUT, encoding="utf-8") as file:
            sequences = json.load(file)[: arguments.limit]
        print(formats_table(weight_formats(model.load(arguments.weight_formats), sequences)))
        return
    if arguments.directory:
        arrays, _ = safetensors.read_directory(arguments.directory)
        jobs = {arguments.directory: (arrays, read_llama(arguments.directory))}
    else:
        jobs = {name: make_random(7, **dict(zip(SHAPE_FIELDS, SHAPES[name]))) for name in arguments.shape or SHAPES}
    for name, (arrays, raw) in jobs.items():
        if arguments.massive:
            arrays, raw = make_massive(arrays, raw)
        if arguments.sequences:
            with open(arguments.sequences, encoding="utf-8") as file:
                sequences = json.load(file)[: arguments.limit]
        else:
            sequences = sampled_sequences(convert(arrays, raw), arguments.count, arguments.length)
        if arguments.sinks:
            arrays, raw = make_sinks(arrays, raw, sequences)
        converted = convert(arrays, raw)
        kind = "massive" if arguments.massive else "sinks" if arguments.sinks else "as they are"
        print(f"== {name}, activations: {kind}", flush=True)
        for comparison, summary in evaluate(arrays, raw, sequences, converted, arguments.blame).items():
            print(f"{comparison:22}", json.dumps(summary), flush=True)


if __name__ == "__main__":
    main()
