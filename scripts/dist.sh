#!/usr/bin/env bash
# Leaves dist/evident: one binary with the Swift runtime, SQLite and zlib inside, for a bare Debian 12.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh libsqlite3-dev zlib1g-dev
# The linker takes the first library it finds: a folder with only the archives makes those the static ones.
archives=$(pwd)/.build/dist-archives
mkdir -p "$archives" dist
cp "$(dpkg -L libsqlite3-dev | grep '/libsqlite3\.a$')" "$(dpkg -L zlib1g-dev | grep '/libz\.a$')" "$archives/"
swift build -c release --product evident --scratch-path .build/dist --static-swift-stdlib \
  --explicit-target-dependency-import-check error -Xlinker "-L$archives"
cp .build/dist/release/evident dist/evident.new
strip dist/evident.new
mv dist/evident.new dist/evident
echo "dist/evident needs only:"
ldd dist/evident | awk '{print "  " $1}'
if ldd dist/evident | grep -qE 'libswift|sqlite|libz|libFoundation'; then
  echo "error: dist/evident is not self-contained" >&2
  exit 1
fi
dist/evident --version
