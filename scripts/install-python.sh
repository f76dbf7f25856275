#!/usr/bin/env bash
# Makes .venv with the pinned packages of Tests/Interop/requirements.txt; does nothing while that file is unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=Tests/Interop/requirements.txt
stamp=.venv/requirements.sha256
wanted=$(sha256sum <"$requirements")
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

echo "Making .venv from $requirements"
rm -rf .venv
# Debian's Python, not one that happens to stand before it in PATH.
/usr/bin/python3 -m venv .venv
# Every package is pinned, those that others pull in included; --no-deps leaves out what Pipecat needs only for services.
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
echo "$wanted" >"$stamp"
