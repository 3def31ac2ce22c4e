#!/bin/sh
# Trains evident-tiny from the text in data/ and writes a Hugging Face directory.
# Usage: Model/train.sh [OUTPUT_DIRECTORY [train.py options...]]
#
# torch comes from PyPI. A CPU build is much smaller: point PIP_FIND_LINKS or
# PIP_EXTRA_INDEX_URL at one, and the same version with "+cpu" is preferred.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/evident
venv=$cache/venv-train
out=${1:-$cache/evident-tiny-hf}
[ $# -eq 0 ] || shift

if ! "$venv/bin/python" -c 'import torch, numpy, tokenizers, safetensors' 2>/dev/null; then
    mkdir -p "$cache"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi

exec "$venv/bin/python" "$here/train.py" --out "$out" "$@"
