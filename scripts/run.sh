#!/usr/bin/env bash
# The main job, end to end: build, ask, keep the evidence, verify it, serve.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh --product evident
evident=.build/release/evident
question=${1:-What is Evident?}
evidence=$(mktemp -d)/answer.evidence.json

echo
echo "== Asking the embedded model: $question"
"$evident" run --evidence "$evidence" "$question"
echo
echo "== Checking the evidence offline, by recomputing the answer: evident verify --replay $evidence"
"$evident" verify --replay "$evidence"
echo
echo "== Serving the OpenAI API; stop it with Ctrl-C"
exec "$evident" serve
