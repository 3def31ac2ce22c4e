#!/usr/bin/env bash
# Makes a Python virtual environment outside the tree and prints its interpreter.
# Usage: scripts/python.sh NAME REQUIREMENTS_FILE
# It is made again when the requirements change, and appears whole or not at all.
set -euo pipefail
name=$1 requirements=$2
"$(dirname "$0")/need.sh" python3 python3-venv
stamp=$(sha256sum "$requirements" | cut -c1-16)
root=${XDG_CACHE_HOME:-$HOME/.cache}/evident
venv=$root/venv-$name-$stamp
if [ ! -x "$venv/bin/python" ] || [ ! -e "$venv/.complete" ]; then
  echo "Making the Python environment '$name' in $venv" >&2
  rm -rf "$venv"
  mkdir -p "$root"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
  touch "$venv/.complete"
fi
echo "$venv/bin/python"
