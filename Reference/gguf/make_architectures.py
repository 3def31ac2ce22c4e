#!/usr/bin/env python3
"""Makes Tests/ModelFilesTests/Fixtures/gguf/architectures: each model as a Hugging Face directory and as the
GGUF file that llama.cpp's own converter makes of it.

    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36 && tar xf llama_cpp_python-0.3.36.tar.gz
    make_architectures.py llama_cpp_python-0.3.36/vendor/llama.cpp DIRECTORY

in an environment with Reference/fixtures/requirements.txt. Only the converter's vocabulary is replaced: it
knows the real ones only.
"""

import json
import pathlib
import sys

import torch
import transformers
from architectures import MODELS, POOLING, VOCABULARY

TOKENS = ["<|endoftext|>", "<s>", "</s>"] + [chr(ord("a") + i) for i in range(VOCABULARY - 4)] + ["ab"]


def save(name, folder):
    """A model with random weights that bfloat16 holds, in the layout of the hub."""
    kind, config = MODELS[name]
    model_class = getattr(transformers, kind)
    torch.manual_seed(sorted(MODELS).index(name) + 1)
    model = model_class(model_class.config_class(**config)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Vectors too, which start as zeros and ones.
            parameter.copy_(parameter + torch.randn_like(parameter) * 0.2)
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if name in POOLING:
        modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        write(folder / "modules.json", [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ])
        write(folder / "1_Pooling" / "config.json", {
            "word_embedding_dimension": config["hidden_size"],
            **{f"pooling_mode_{mode}": mode.startswith(POOLING[name]) for mode in ("cls_token", "mean_tokens")},
        })


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def set_vocabulary(model):
    writer = model.gguf_writer
    writer.add_tokenizer_model("bert" if model.hf_arch == "BertModel" else "gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3] + [1] * (VOCABULARY - 3))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    if model.hf_arch == "BertModel":
        writer.add_token_type_count(2)


def convert(folder, target):
    import gguf
    from conversion import ModelBase, ModelType, get_model_architecture, get_model_class

    hparams = ModelBase.load_hparams(folder, False)
    model_class = get_model_class(get_model_architecture(hparams, ModelType.TEXT))

    class WithVocabulary(model_class):
        model_arch = model_class.model_arch
        set_vocab = set_vocabulary

        def modify_tensors(self, data, name, bid):
            # Gemma 3 cuts the embedding to the size of a vocabulary that is not there.
            if "embed_tokens" in name:
                return super(model_class, self).modify_tensors(data, name, bid)
            return super().modify_tensors(data, name, bid)

    with torch.inference_mode():
        WithVocabulary(folder, gguf.LlamaFileType.MOSTLY_BF16, target, model_name=folder.name).write()


def main(llama_cpp, directory):
    sys.path[:0] = [llama_cpp, f"{llama_cpp}/gguf-py"]
    for name in sys.argv[3:] or MODELS:
        folder = pathlib.Path(directory) / name
        folder.mkdir(parents=True, exist_ok=True)
        save(name, folder)
        convert(folder, folder / "model.gguf")
        vocabulary = {token: i for i, token in enumerate(TOKENS)}
        write(folder / "tokenizer.json", {"model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}})


if __name__ == "__main__":
    main(*sys.argv[1:3])
