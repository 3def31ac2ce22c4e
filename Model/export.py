"""Writes and reads a network as a Hugging Face directory."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from network import Shape, TinyLlama

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIALS = [END_OF_TEXT, TURN_START, TURN_END]  # ids 0, 1, 2

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def configuration(network):
    shape = network.shape
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": SPECIALS.index(TURN_START),
        "eos_token_id": SPECIALS.index(TURN_END),
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": shape.max_position_embeddings,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": shape.num_attention_heads,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_key_value_heads": shape.num_key_value_heads,
        "pad_token_id": SPECIALS.index(END_OF_TEXT),
        "rms_norm_eps": shape.rms_norm_eps,
        "rope_scaling": None,
        "rope_theta": shape.rope_theta,
        "tie_word_embeddings": network.lm_head is None,
        "torch_dtype": "float32",
        "use_cache": True,
        "vocab_size": shape.vocab_size,
    }


def tokenizer_configuration(shape):
    return {
        "add_bos_token": False,
        "add_eos_token": False,
        "added_tokens_decoder": {
            str(id): {"content": token, "lstrip": False, "normalized": False, "rstrip": False,
                      "single_word": False, "special": True}
            for id, token in enumerate(SPECIALS)
        },
        "bos_token": TURN_START,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": TURN_END,
        "model_max_length": shape.max_position_embeddings,
        "pad_token": END_OF_TEXT,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": None,
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_directory(network, tokenizer, folder, card=None):
    """Writes beside `folder`, then renames, so that readers never see half a model."""
    folder = Path(folder)
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    write_json(fresh / "config.json", configuration(network))
    write_json(fresh / "tokenizer_config.json", tokenizer_configuration(network.shape))
    write_json(fresh / "generation_config.json", {
        "bos_token_id": SPECIALS.index(TURN_START),
        "eos_token_id": SPECIALS.index(TURN_END),
        "pad_token_id": SPECIALS.index(END_OF_TEXT),
        "do_sample": False,
    })
    tokenizer.save(str(fresh / "tokenizer.json"))
    tensors = {name: p.detach().float().contiguous() for name, p in network.named_parameters()}
    if "lm_head" in tensors:
        tensors["lm_head.weight"] = tensors.pop("lm_head")
    save_file(tensors, str(fresh / "model.safetensors"), metadata={"format": "pt"})
    if card is not None and Path(card).exists():
        shutil.copyfile(card, fresh / "README.md")
    (fresh / "model.safetensors").chmod(0o644)
    previous = folder.with_name(folder.name + ".old")
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        folder.rename(previous)
    fresh.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def read_directory(folder, **changes):
    """Reads a directory: (network, tokenizer).  `changes` override fields of the shape."""
    folder = Path(folder)
    stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    fields = {name: stored[name] for name in Shape.__dataclass_fields__ if name in stored}
    network = TinyLlama(Shape(**{**fields, **changes}))
    tensors = load_file(str(folder / "model.safetensors"))
    if "lm_head.weight" in tensors:
        tensors["lm_head"] = tensors.pop("lm_head.weight")
        network.lm_head = torch.nn.Parameter(tensors["lm_head"].clone())
    network.load_state_dict(tensors)
    return network, Tokenizer.from_file(str(folder / "tokenizer.json"))
