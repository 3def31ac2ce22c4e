#!/usr/bin/env bash
# Builds the release binary. Usage: scripts/build.sh [further arguments of swift build]
set -euo pipefail
cd "$(dirname "$0")/.."
command -v swift >/dev/null || {
  echo "error: no swift on PATH" >&2
  echo "hint: install Swift 6.3 for Debian 12 from https://www.swift.org/install/linux/" >&2
  exit 1
}
scripts/need.sh libsqlite3-dev zlib1g-dev
[ -d .build ] || echo "Building for the first time; this takes a few minutes, nearly all of it in the libraries." >&2
exec swift build -c release --explicit-target-dependency-import-check error "$@"
