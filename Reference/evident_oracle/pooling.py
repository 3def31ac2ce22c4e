"""What sentence-transformers' files say of an encoder: model.md, "Hugging Face directories", `bert`."""

import json
import os

from .canonical import Rejection

MODES = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last"}


def files(directory):
    """The names of the files that count, of those that exist."""
    if not os.path.exists(os.path.join(directory, "modules.json")):
        return []
    return ["modules.json", _modules(directory)[1]["path"] + "/config.json"]


def members(directory):
    """`pooling` and `normalised` of the configuration."""
    if not files(directory):
        return {"pooling": "mean", "normalised": True}
    modules = _modules(directory)
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or modules[0]["path"] != "":
        raise Rejection(f"modules.json lists {kinds}")
    with open(os.path.join(directory, modules[1]["path"], "config.json"), encoding="utf-8") as file:
        pooling = json.load(file)
    modes = [name for name, value in pooling.items() if name.startswith("pooling_mode_") and value]
    if len(modes) != 1 or modes[0] not in MODES:
        raise Rejection(f"pooling {modes} is not supported")
    return {"pooling": MODES[modes[0]], "normalised": True if len(kinds) == 3 else None}


def _modules(directory):
    with open(os.path.join(directory, "modules.json"), encoding="utf-8") as file:
        modules = json.load(file)
    if len(modules) < 2 or not all("path" in module for module in modules):
        raise Rejection("modules.json lists no Transformer and Pooling")
    return modules
