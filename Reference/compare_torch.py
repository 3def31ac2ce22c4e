#!/usr/bin/env python3
"""Compares PyTorch's float32 logits with the profile's over the same sequences.

    Model/evaluate.py HF_DIRECTORY --sequences SEQUENCES --logits LOGITS       # with the environment for training
    evident import --pack PACK HF_DIRECTORY
    compare_torch.py PACK --sequences SEQUENCES --logits LOGITS

For massive activations add `--massive --write-massive OTHER_DIRECTORY` to the first command and import that.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import accuracy
from evident_oracle import model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack")
    parser.add_argument("--sequences", default=str(Path(__file__).parent / "tests" / "heldout.json"))
    parser.add_argument("--logits", required=True, help="directory with N.npy for sequence number N")
    arguments = parser.parse_args()
    loaded, comparison, choices = model.load(arguments.pack), accuracy.Comparison(), set()
    for number, tokens in enumerate(json.loads(Path(arguments.sequences).read_text())):
        logits = np.load(Path(arguments.logits) / f"{number}.npy")
        assert logits.dtype == np.float32 and logits.shape == (len(tokens), loaded.config.vocabularySize)
        choices.update(logits.argmax(axis=-1).tolist())
        comparison.add(logits.astype(np.float64), accuracy.integer_logits(loaded, tokens), tokens)
    # How many different ids are on top: a model that always says the same would agree with anything.
    print(json.dumps({**comparison.summary(), "different_choices": len(choices)}))


if __name__ == "__main__":
    main()
