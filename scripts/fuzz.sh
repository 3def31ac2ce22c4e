#!/usr/bin/env bash
# Fuzzes what the record's parts and a verifier read from others, with libFuzzer and the address sanitizer.
# Usage: scripts/fuzz.sh SECONDS [PARSER...]      CPU seconds for each; without parsers: all, one after another
# Needs a release build with tests (make build, or scripts/build.sh --build-tests) for swift-crypto.
# Inputs that crash, hang or take too much memory are kept in EVIDENT_FUZZ_KEEP (default dist/fuzz); a file
# from there goes to Tests/*/Fixtures/fuzz/PARSER/ with the correction.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,6s/^# //p' "$0"; exit 2; }
seconds=$1
shift
keep=${EVIDENT_FUZZ_KEEP:-dist/fuzz}
parsers=("$@")
[ ${#parsers[@]} -gt 0 ] || mapfile -t parsers < <(ls -d Tests/*/Fixtures/fuzz/* | xargs -n 1 basename)
release=.build/release
crypto=.build/checkouts/swift-crypto/Sources
[ -d "$release/Crypto.build" ] || { echo "error: there is no release build; run make build" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$keep"

flags=(-O -swift-version 6 -package-name evident -parse-as-library -sanitize=fuzzer,address
  -module-cache-path "$work/cache" -enable-upcoming-feature MemberImportVisibility
  -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
  -I "$work" -I "$release/Modules")
for module in CCryptoBoringSSL CCryptoBoringSSLShims; do
  flags+=(-Xcc "-fmodule-map-file=$crypto/$module/include/module.modulemap" -Xcc "-I$crypto/$module/include")
done
compile() { # MODULE FILE...
  local module=$1
  shift
  swiftc "${flags[@]}" -whole-module-optimization -emit-module -emit-object -module-name "$module" \
    -emit-module-path "$work/$module.swiftmodule" -o "$work/$module.o" "$@"
}
echo "Building" >&2
for module in Digests Transparency ModelGraph Tokenizers Receipts Verification; do
  mapfile -t sources < <(find "Sources/$module" -name '*.swift' | sort)
  compile "$module" "${sources[@]}"
done
compile Fuzz Tests/Fuzz/Target.swift Tests/TransparencyTests/Support/FuzzedParser.swift \
  Tests/VerificationTests/FuzzedEvidence.swift
parts=(Crypto CryptoBoringWrapper CCryptoBoringSSL CCryptoBoringSSLShims CXKCP CXKCPShims)
parts=("${parts[@]/%/.build}")
mapfile -t objects < <(find "${parts[@]/#/$release/}" \
  -name '*.o' 2>/dev/null | sort)
swiftc -sanitize=fuzzer,address -o "$work/fuzz" "$work"/*.o "${objects[@]}" -lstdc++ \
  2> >(grep -v "Cannot export local symbol" >&2)

status=0
TIMEFORMAT=%U
for parser in "${parsers[@]}"; do
  seeds=$(echo Tests/*/Fixtures/fuzz/"$parser")
  mkdir -p "$work/corpus-$parser"
  # libFuzzer counts the clock's seconds: on a busy machine it takes several runs, and a machine that paused looks
  # like an input that takes long. Such an input is tried alone before it counts.
  cpu=0 executions=0 failed=
  while [ "$cpu" -lt "$seconds" ] && [ -z "$failed" ]; do
    touch "$work/$parser.start"
    { time EVIDENT_FUZZ_PARSER=$parser ASAN_OPTIONS=detect_leaks=0 "$work/fuzz" \
      -max_total_time=$((seconds - cpu)) -timeout=20 -report_slow_units=60 -rss_limit_mb=1024 \
      -max_len=20000 -print_final_stats=1 -artifact_prefix="$keep/$parser-" "$work/corpus-$parser" "$seeds" \
      >"$work/$parser.log" 2>&1; } 2>"$work/time" || failed=1
    last=$(find "$keep" -name "$parser-timeout-*" -newer "$work/$parser.start" | head -n 1)
    if [ -n "$failed" ] && [ -n "$last" ] &&
      EVIDENT_FUZZ_PARSER=$parser "$work/fuzz" -runs=1 -timeout=20 "$last" >/dev/null 2>&1; then
      rm "$last"
      failed=
    fi
    used=$(tail -n 1 "$work/time")
    cpu=$((cpu + ${used%.*} + 1))
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$parser.log")
    executions=$((executions + ${runs:-0}))
  done
  if [ -n "$failed" ]; then
    echo "FAIL  $parser: the input is in $keep"
    tail -n 30 "$work/$parser.log"
    status=1
  else
    echo "ok    $parser  ${cpu}s CPU  $executions inputs  $(grep -ohE 'cov: [0-9]+' "$work/$parser.log" | tail -n 1)"
  fi
done
exit $status
