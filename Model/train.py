"""Trains evident-tiny from scratch: tokenizer, network, quantisation-aware ending, export.

Phases: bfloat16 autocast with free weights; the same with fake-quantised
weights; finally float32 with fake-quantised weights, so that the exported
float32 model is exactly the one that was trained.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

import corpus as text
from export import SPECIALS, TURN_END, TURN_START, read_directory, write_directory
from network import Shape, TinyLlama, snap

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")
STOP = SPECIALS.index(TURN_END)
PROMPT_WEIGHT = 0.1  # loss weight of everything that is not an answer


def train_tokenizer(corpus, vocabulary, seed):
    """Byte-level BPE with the Llama 3 splitting pattern; ids 0 to 2 are the special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=SPECIALS, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    rng = random.Random(seed)
    lines = [content for turns in text.conversations(corpus, rng) for role, content in turns]
    lines += [f"{role}\n" for role in ("system", "user", "assistant")] * 50
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def encode(tokenizer, turns, split=None):
    """Tokens of one conversation and the loss weight of predicting each of them.

    `split`, when given, is a tokenizer that skips merges at random (BPE dropout); it encodes what users say.
    """
    tokens, weights = [], []

    def add(part, weight, by=tokenizer):
        ids = by.encode(part, add_special_tokens=False).ids
        tokens.extend(ids)
        weights.extend([weight] * len(ids))

    for role, content in turns:
        if role == "":
            add(content + TURN_END, 1.0)
            continue
        add(f"{TURN_START}{role}\n", PROMPT_WEIGHT)
        if role == "assistant":
            add(content + TURN_END, 1.0)
        else:
            add(content + TURN_END, PROMPT_WEIGHT, split or tokenizer)
        add("\n", PROMPT_WEIGHT)
    return tokens, weights


def batches(corpus, tokenizer, tokens_max, length_max, rng):
    """Endless batches of similar lengths: tokens (B, T), loss weights (B, T); padded on the right with id 0."""
    split = Tokenizer.from_str(tokenizer.to_str())
    split.model.dropout = 0.12
    while True:
        samples = [encode(tokenizer, turns, split if rng.random() < 0.35 else None)
                   for turns in text.conversations(corpus, rng)]
        samples.sort(key=lambda sample: len(sample[0]) + rng.random())
        groups, group = [], []
        for sample in samples:
            length = min(len(sample[0]), length_max)
            if group and (len(group) + 1) * length > tokens_max:
                groups.append(group)
                group = []
            group.append(sample)
        groups.append(group)
        rng.shuffle(groups)
        for group in groups:
            width = min(max(len(tokens) for tokens, _ in group), length_max)
            tokens, weights = torch.zeros(len(group), width, dtype=torch.long), torch.zeros(len(group), width)
            for row, (ids, loss_weights) in enumerate(group):
                count = min(len(ids), width)
                tokens[row, :count] = torch.tensor(ids[:count])
                weights[row, :count] = torch.tensor(loss_weights[:count])
            yield tokens, weights


def loss_of(network, tokens, weights):
    x, head = network.hidden(tokens)
    weights = weights[:, 1:].reshape(-1)
    keep = weights > 0
    logits = F.linear(x[:, :-1].reshape(-1, x.shape[-1])[keep], head).float()
    losses = F.cross_entropy(logits, tokens[:, 1:].reshape(-1)[keep], reduction="none")
    return (losses * weights[keep]).sum() / weights.sum()


@torch.no_grad()
def heldout_result(network, tokenizer, corpus):
    """Perplexity and top-1 over answer tokens of held-out questions, and the share of accepted answers.

    An answer is accepted when greedy decoding gives a written answer word for
    word; that is so exactly when every teacher-forced argmax is right.
    """
    network.eval()
    total, right, count, accepted, rng = 0.0, 0, 0, 0, random.Random(1)
    for topic, question in corpus.heldout:
        question = corpus.fill(question, rng)
        variants = sorted({corpus.fill(answer, random.Random(n)) for answer in topic.answers for n in range(40)})
        complete = False
        for number, answer in enumerate(variants):
            tokens, weights = encode(tokenizer, [("user", question), ("assistant", answer)])
            logits = network(torch.tensor([tokens]))[0, :-1].float()
            chosen = torch.tensor(weights[1:]) == 1.0
            target, logits = torch.tensor(tokens[1:])[chosen], logits[chosen]
            hits = logits.argmax(-1) == target
            complete = complete or bool(hits.all())
            if number == 0:
                total += F.cross_entropy(logits, target, reduction="sum").item()
                right += int(hits.sum())
                count += len(target)
        accepted += complete
    network.train()
    result = {"perplexity": math.exp(total / count), "top1": right / count, "accepted": accepted / len(corpus.heldout)}
    return {key: round(value, 4) for key, value in result.items()}


def train(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    corpus = text.read()
    if options.start:
        network, tokenizer = read_directory(options.start, dropout=options.dropout)
    else:
        tokenizer = train_tokenizer(corpus, options.vocabulary, options.seed)
        network = TinyLlama(Shape(vocab_size=tokenizer.get_vocab_size(), num_hidden_layers=options.layers,
                                  dropout=options.dropout))
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{len(corpus.topics)} topics, vocabulary {tokenizer.get_vocab_size()}, {parameters} parameters", flush=True)
    decayed = [p for p in network.parameters() if p.dim() == 2]
    others = [p for p in network.parameters() if p.dim() != 2]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
                                  lr=options.rate, betas=(0.9, 0.97), fused=True)
    stream = batches(corpus, tokenizer, options.batch_tokens, network.shape.max_position_embeddings, random.Random(options.seed))
    quantised_from, exact_from = int(options.steps * options.quantised_from), int(options.steps * options.exact_from)
    started, seen, running = time.time(), 0, None
    for step in range(options.steps):
        warm = min(1.0, (step + 1) / 100)
        rate = options.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / options.steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        network.fake_quantise = step >= quantised_from
        tokens, weights = next(stream)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < exact_from):
            loss = loss_of(network, tokens, weights)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        seen += tokens.numel()
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 100 == 99:
            pace = seen / (time.time() - started)
            line = f"step {step + 1}/{options.steps} loss {running:.4f} rate {rate:.2e} {pace:.0f} tokens/s"
            if step % 500 == 499:
                line += f" held-out {heldout_result(network, tokenizer, corpus)}"
                if options.snapshots:
                    write_directory(network, tokenizer, options.snapshots)
            print(line, flush=True)
    minutes = (time.time() - started) / 60
    before = heldout_result(network, tokenizer, corpus)  # fake-quantised
    network.fake_quantise = False
    free = heldout_result(network, tokenizer, corpus)  # the weights before rounding
    snap(network)
    after = heldout_result(network, tokenizer, corpus)
    write_directory(network, tokenizer, options.out, card=Path(__file__).with_name("CARD.md"))
    result = {"parameters": parameters, "vocabulary": tokenizer.get_vocab_size(), "steps": options.steps,
              "tokens_seen": seen, "minutes": round(minutes, 1), "seed": options.seed, "final_loss": round(running, 4),
              "heldout_unrounded": free, "heldout_fake_quantised": before, "heldout_snapped": after}
    print(json.dumps(result, indent=2))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="Hugging Face directory to write")
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--batch-tokens", type=int, default=2560)
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--start", metavar="DIR", help="continue from this model and its tokenizer")
    parser.add_argument("--quantised-from", type=float, default=0.68, help="share of the steps after which weights are fake-quantised")
    parser.add_argument("--exact-from", type=float, default=0.96, help="share of the steps after which float32 is used")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=20251121)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--snapshots", help="directory for an unrounded model every 500 steps")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
