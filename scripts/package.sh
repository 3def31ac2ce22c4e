#!/usr/bin/env bash
# Unpacks a Python package without its dependencies, outside the tree, and prints the folder: for packages that
# carry a model. Usage: scripts/package.sh NAME==VERSION
set -euo pipefail
package=$1
"$(dirname "$0")/need.sh" python3 python3-venv
python=$("$(dirname "$0")/python.sh" plain /dev/null)
root=${XDG_CACHE_HOME:-$HOME/.cache}/evident
folder=$root/package-${package//[^A-Za-z0-9._-]/-}
if [ ! -d "$folder" ]; then
  echo "Fetching the package $package into $folder" >&2
  new=$(mktemp -d "$root/package.XXXXXX")
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$new" "$package" >&2
  mv -T "$new" "$folder"
fi
echo "$folder"
