"""Evaluates an exported model in PyTorch float32; a yardstick for the integer engine.

    evaluate.py MODEL_DIR                        held-out perplexity and top-1
    evaluate.py MODEL_DIR --ask "What is Evident?"
    evaluate.py MODEL_DIR --write-sequences heldout.json
    evaluate.py MODEL_DIR --sequences FILE.json --logits OUT_DIR
    evaluate.py MODEL_DIR --massive [--write-massive OTHER_DIR] ...

A sequence file is a JSON list of token id lists.  For sequence number N,
`OUT_DIR/N.npy` holds float32 logits of shape (positions, vocabulary).

`--massive` builds a variant with the outliers that large models have: the head
is untied, two residual channels of the embedding output are multiplied by
1000, and in every layer 16 hidden channels of the MLP (rows of up_proj) by 100.
"""

import argparse
import json
import math
import random
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F

import corpus as text
from export import TURN_END, TURN_START, read_directory, write_directory
from network import generate, quantise
from train import STOP, encode

RESIDUAL_CHANNELS, RESIDUAL_FACTOR = (11, 157), 1000.0
HIDDEN_CHANNELS, HIDDEN_FACTOR = tuple(range(5, 5 + 16 * 40, 40)), 100.0


@torch.no_grad()
def add_massive_activations(network):
    """Unties the head, then scales embedding columns and up_proj rows."""
    table = network.model.embed_tokens.weight
    network.lm_head = torch.nn.Parameter(table.detach().clone())
    table[:, list(RESIDUAL_CHANNELS)] *= RESIDUAL_FACTOR
    for layer in network.model.layers:
        layer.mlp.up_proj.weight[list(HIDDEN_CHANNELS), :] *= HIDDEN_FACTOR


def on_grid(network):
    """Whether every matrix is exactly q * s with max|q| = 127 in each row."""
    for parameter in network.matrices().values():
        q, scale = quantise(parameter.detach())
        if not torch.allclose(q * scale, parameter, rtol=3e-7, atol=0) or bool((q.abs().amax(dim=1) != 127).any()):
            return False
    return True


def heldout_sequences(tokenizer, corpus):
    """One (tokens, weights) pair for each held-out question with its answer."""
    rng = random.Random(1)
    return [encode(tokenizer, [("user", corpus.fill(question, rng)),
                               ("assistant", min(corpus.fill(topic.answers[0], random.Random(n)) for n in range(40)))])
            for topic, question in corpus.heldout]


@torch.no_grad()
def measure(network, sequences):
    """Perplexity and top-1 over answer tokens, and over all tokens."""
    sums = {"answers": [0.0, 0, 0], "all": [0.0, 0, 0]}
    for tokens, weights in sequences:
        logits, target = network(torch.tensor([tokens]))[0, :-1], torch.tensor(tokens[1:])
        losses = F.cross_entropy(logits, target, reduction="none")
        right = logits.argmax(-1) == target
        answer = torch.tensor(weights[1:]) == 1.0
        for name, chosen in (("answers", answer), ("all", torch.ones_like(answer))):
            entry = sums[name]
            entry[0] += losses[chosen].sum().item()
            entry[1] += int(right[chosen].sum())
            entry[2] += int(chosen.sum())
    return {name: {"perplexity": round(math.exp(min(loss / count, 700.0)), 5), "top1": round(right / count, 5), "tokens": count}
            for name, (loss, right, count) in sums.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="Hugging Face directory")
    parser.add_argument("--massive", action="store_true", help="add massive activations before anything else")
    parser.add_argument("--write-massive", metavar="DIR", help="write the modified float32 model (implies --massive)")
    parser.add_argument("--ask", action="append", default=[], metavar="TEXT", help="greedy answer to one question; repeatable")
    parser.add_argument("--sequences", metavar="FILE", help="JSON list of token id lists; default: the held-out conversations")
    parser.add_argument("--write-sequences", metavar="FILE", help="write the held-out conversations as token id lists")
    parser.add_argument("--logits", metavar="DIR", help="write per-position logits of each sequence as .npy")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    network, tokenizer = read_directory(options.model)
    network.eval()
    print("every matrix on its int8 grid:", "yes" if on_grid(network) else "no")
    if options.massive or options.write_massive:
        add_massive_activations(network)
    if options.write_massive:
        write_directory(network, tokenizer, options.write_massive)
    for question in options.ask:
        prompt = tokenizer.encode(f"{TURN_START}user\n{question}{TURN_END}\n{TURN_START}assistant\n").ids
        print(f"> {question}\n{tokenizer.decode(generate(network, prompt, STOP))}\n")
    if options.ask:
        return
    scored = heldout_sequences(tokenizer, text.read())
    sequences = [tokens for tokens, _ in scored]
    if options.write_sequences:
        Path(options.write_sequences).write_text(json.dumps(sequences) + "\n", encoding="utf-8")
    if options.sequences:
        sequences = json.loads(Path(options.sequences).read_text(encoding="utf-8"))
    if options.logits:
        folder = Path(options.logits)
        folder.mkdir(parents=True, exist_ok=True)
        with torch.no_grad():
            for number, tokens in enumerate(sequences):
                numpy.save(folder / f"{number}.npy", network(torch.tensor([tokens]))[0].numpy())
    print(json.dumps(measure(network, scored), indent=2))


if __name__ == "__main__":
    main()
