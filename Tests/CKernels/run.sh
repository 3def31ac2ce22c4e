#!/usr/bin/env bash
# Builds the kernels with the C compiler of this host and with that of 64-bit ARM, and tests every kernel set
# against the model of the specification: natively, under the sanitizers, and under emulated ARM.
#   Tests/CKernels/run.sh [SEED]
# Needs cc, aarch64-linux-gnu-gcc (gcc-aarch64-linux-gnu) and qemu-aarch64 (qemu-user).
set -euo pipefail
cd "$(dirname "$0")/../.."
seed=${1:-$(date +%s)}
for tool in "${CC:=cc}" aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-std=gnu11 -O3 -Wall -Wextra -Werror -ISources/CKernels/include)
files=(Tests/CKernels/*.c Sources/CKernels/*.c)

"$CC" "${flags[@]}" "${files[@]}" -lm -o "$work/native"
"$CC" "${flags[@]}" -g -fsanitize=address,undefined -fno-sanitize-recover=all "${files[@]}" -lm -o "$work/sanitized"
aarch64-linux-gnu-gcc "${flags[@]}" -static "${files[@]}" -lm -o "$work/arm"

echo "native";    "$work/native" --seed "$seed"
echo "sanitized"; "$work/sanitized" --seed "$seed" --count 500
echo "arm";       qemu-aarch64 "$work/arm" --seed "$seed" --count "${ARM_COUNT:-3000}"
