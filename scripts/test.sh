#!/usr/bin/env bash
# Runs every test. Each part logs to a file and ends in one line; the last line counts them.
# Usage: scripts/test.sh [PART...]   parts: format build kernels swift oracle api
set -uo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(format build kernels swift oracle api)
logs=$(mktemp -d)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
passed=0 failed=0 failures=()

if [ -z "${EVIDENT_SHARED:-}" ]; then
  echo "note: EVIDENT_SHARED is not set; tests against published vectors are skipped"
else
  # Tests run the binary in folders of their own.
  EVIDENT_SHARED=$(cd "$EVIDENT_SHARED" && pwd) || exit 1
  export EVIDENT_SHARED
fi
scripts/need.sh libsqlite3-dev zlib1g-dev curl openssl gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3 python3-venv || exit 1
EVIDENT_PYTHON=$(scripts/python.sh reference Reference/requirements.txt) || exit 1
EVIDENT_API_PYTHON=$(scripts/python.sh api Tests/EndToEnd/requirements.txt) || exit 1
export EVIDENT_PYTHON

part() {
  case $1 in
    format) swift format lint --strict --recursive --parallel Package.swift Sources Tests ;;
    build) scripts/build.sh --build-tests ;;
    kernels) Tests/CKernels/run.sh ;;
    swift) cases && swift test -c release --skip-build ;;
    oracle) OMP_NUM_THREADS=1 "$EVIDENT_PYTHON" -m pytest -q Reference/tests ;;
    api) "$EVIDENT_API_PYTHON" -m pytest -q Tests/EndToEnd ;;
    *) echo "error: no such part: $1" >&2; return 2 ;;
  esac
}

# What other people's tokenizers and Jinja2 make of generated texts: a sample of what
# scripts/tokenizer-differential.sh compares.
cases() {
  local python
  python=$(scripts/python.sh tokenizers Reference/tokenizers/requirements.txt) || return 1
  "$python" Reference/tokenizers/differential.py --out "$made/tokenizers" --strings 40 --lines 300 || return 1
  "$python" Reference/tokenizers/template_differential.py --out "$made/templates.jsonl" --random 3000 || return 1
  export EVIDENT_TOKENIZER_CASES=$made/tokenizers EVIDENT_TEMPLATE_CASES=$made/templates.jsonl
}

finish() { # NAME STATUS SECONDS
  local counts
  counts=$(grep -hE 'Test run with|passed|failed' "$logs/$1" | tail -n 1 | cut -c1-160)
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok    $1  ${3}s  $counts"
  else
    failed=$((failed + 1))
    failures+=("$1")
    echo "FAIL  $1  ${3}s  $counts"
    grep -nE 'error:|✘|FAILED|^E  |Fatal|warning: could not' "$logs/$1" | head -n 60
    tail -n 40 "$logs/$1"
  fi
}

run() { # NAME
  local start=$SECONDS status=0
  echo "----  $1"
  part "$1" >"$logs/$1" 2>&1 || status=$?
  finish "$1" "$status" $((SECONDS - start))
}

# The C kernel test needs no Swift build: it runs beside whatever comes first.
declare -A beside
for name in "${parts[@]}"; do
  if [ "$name" = kernels ]; then
    start_kernels=$SECONDS
    part kernels >"$logs/kernels" 2>&1 &
    beside[kernels]=$!
  fi
done
for name in "${parts[@]}"; do
  [ -n "${beside[$name]:-}" ] && continue
  run "$name"
  if [ "$name" = build ] && [ "$failed" -gt 0 ]; then break; fi
done
if [ -n "${beside[kernels]:-}" ]; then
  status=0
  wait "${beside[kernels]}" || status=$?
  finish kernels "$status" $((SECONDS - start_kernels))
fi

[ "$failed" -eq 0 ] || echo "failed: ${failures[*]}; logs in $logs"
# The counts of the parts' own runners, added up, in the one line that every reader of logs knows.
python3 - "$logs" "$failed" <<'PY'
import re, sys, pathlib
total = bad = skipped = 0
for log in pathlib.Path(sys.argv[1]).iterdir():
    text = log.read_text(errors="replace")
    for m in re.finditer(r"Test run with (\d+) tests?.*?(passed|failed)(?:.*?with (\d+) issues?)?", text):
        total += int(m[1]); bad += int(m[3] or 0)
    for line in text.splitlines():
        if m := re.fullmatch(r"=*\s*((?:\d+ \w+,? ?)+)in [\d.]+s.*", line.strip()):
            for n, what in re.findall(r"(\d+) (\w+)", m[1]):
                if what == "passed": total += int(n)
                if what in ("failed", "error", "errors"): total += int(n); bad += int(n)
                if what == "skipped": skipped += int(n)
        if m := re.fullmatch(r"(?:\w+: )?(\d+) passed, (\d+) failed", line.strip()):
            total += int(m[1]) + int(m[2]); bad += int(m[2])
if int(sys.argv[2]) and not bad: bad = int(sys.argv[2])
print(f"{max(total - bad, 0)} passed, {bad} failed" + (f", {skipped} skipped" if skipped else ""))
PY
[ "$failed" -eq 0 ]
