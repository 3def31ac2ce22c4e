#!/usr/bin/env bash
# Leaves dist/evident: one binary with the Swift runtime, SQLite and zlib inside, for a bare Debian 12.
# It has a build folder of its own, so that `make test` afterwards compiles nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh libsqlite3-dev zlib1g-dev
if swift=$(command -v swift) && [ ! -d "$(dirname "$(readlink -f "$swift")")/../lib/swift_static" ]; then
  echo "error: this Swift toolchain has no static libraries (lib/swift_static)" >&2
  echo "hint: install Swift 6.3 for Debian 12 from https://www.swift.org/install/linux/" >&2
  exit 1
fi
# The linker takes the first library it finds: a folder with only the archives makes those the static ones.
archives=$(pwd)/.build/dist-archives
mkdir -p "$archives" dist
cp "$(dpkg -L libsqlite3-dev | grep '/libsqlite3\.a$')" "$(dpkg -L zlib1g-dev | grep '/libz\.a$')" "$archives/"
[ -d .build/dist ] || echo "Building everything once more, for linking statically; this takes as long as the first build." >&2
# Nothing loads the binary as a library: 48,000 exported names would be 5 MiB, and looked through at every start.
scripts/build.sh --product evident --scratch-path .build/dist --static-swift-stdlib -Xlinker "-L$archives" \
  -Xlinker --no-export-dynamic
cp .build/dist/release/evident dist/evident.new
strip dist/evident.new
mv dist/evident.new dist/evident

# What every Debian has: apt itself is linked with these.
allowed='^(linux-vdso\.so\.1|libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|libstdc\+\+\.so\.6|ld-linux-.*)$'
needed=$(ldd dist/evident | awk '{ print $1 }' | sed 's|.*/||')
echo "dist/evident ($(($(stat -c %s dist/evident) >> 20)) MiB) is linked with" $needed
echo "It needs glibc $(objdump -T dist/evident | grep -oE 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -Vu | tail -n 1) or later," \
  "and for \`evident pull\` the package ca-certificates."
if grep -vE "$allowed" <<<"$needed" >&2; then
  echo "error: dist/evident needs the libraries above, which a bare Debian 12 does not have" >&2
  exit 1
fi

# It answers, and verifies what it answered, with nothing of this machine's environment.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
clean() { env -i HOME="$home" PATH=/usr/bin:/bin dist/evident "$@"; }
clean --version
clean run --evidence "$home/answer.json" "What is Evident?" >"$home/log" 2>&1 &&
  clean verify --replay "$home/answer.json" >"$home/log" 2>&1 ||
  { cat "$home/log" >&2; echo "error: dist/evident does not verify its own answer" >&2; exit 1; }
grep "^VERIFIED" "$home/log"
