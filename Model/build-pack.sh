#!/usr/bin/env bash
# Rebuilds the pack of the embedded model from an exported Hugging Face directory.
#
#   Model/build-pack.sh FOLDER        (FOLDER: what train.sh exports)
#
# The same directory gives the same bytes on every machine; the next build embeds them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:?usage: Model/build-pack.sh FOLDER}
pack="$root/Sources/CEmbeddedModel/evident-tiny.pack"
swift build --package-path "$root" -c release --product evident >&2
"$root/.build/release/evident" import --pack "$pack" "$folder"
bytes=$(stat -c %s "$pack")
if [ "$bytes" -gt $((8 << 20)) ]; then
  echo "error: $pack has $bytes bytes; the repository takes at most 8 MiB" >&2
  exit 1
fi
